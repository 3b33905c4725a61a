// The parts below a scope that a person can perceive and that may be the one looked for. Role and name
// themselves are asked of the browser afterwards, one by one; here only what surely cannot match is left out.
// arguments: scope or null, selector, words of the accessible name, text that the part must show
const [scope, selector, words, text] = arguments;

const squeeze = (value) => (value || "").replace(/\s+/g, " ").trim();

const perceivable = (part) =>
  part.checkVisibility({ visibilityProperty: true }) &&
  part.getClientRects().length > 0 &&
  !part.closest("[aria-hidden=true], [inert]");

// Everything from which an accessible name can be made.
const sources = (part) => {
  const said = (element) => [
    element.textContent,
    ...["aria-label", "alt", "title", "placeholder", "value"].map((name) => element.getAttribute(name)),
  ];
  const inside = Array.from(part.querySelectorAll("[aria-label], [alt], [title]"));
  const named = ["aria-labelledby", "aria-owns"]
    .flatMap((name) => (part.getAttribute(name) || "").split(/\s+/))
    .map((id) => id && document.getElementById(id))
    .filter(Boolean);
  return [part, ...inside, ...named, ...(part.labels || [])].flatMap(said).map(squeeze).join(" ");
};

const mayMatch = (part) => {
  const all = words.length === 0 || sources(part);
  return words.every((word) => all.includes(word)) && (!text || squeeze(part.innerText).includes(text));
};

return Array.from((scope || document).querySelectorAll(selector)).filter((part) => perceivable(part) && mayMatch(part));
