// What a failed test tells about the page: its parts with role and name, then its text. Roughly the
// accessibility tree, made in one go; the matching itself asks the browser for role and name.
const PARTS = "h1,h2,h3,h4,h5,h6,a[href],button,input,select,textarea,dialog,nav,main,[role],[aria-label],[aria-live]";
const squeeze = (text) => (text || "").replace(/\s+/g, " ").trim();
const shown = (part) => part.checkVisibility({ visibilityProperty: true }) && !part.closest("[aria-hidden=true], [inert]");
const name = (part) =>
  squeeze(
    part.getAttribute("aria-label") ||
      (part.labels && Array.from(part.labels, (label) => label.innerText).join(" ")) ||
      part.getAttribute("title") ||
      (part.matches("dialog,nav,main,form,section,ul,ol") ? "" : part.innerText),
  ).slice(0, 80);
const line = (part) => {
  const kind = part.getAttribute("role") || part.tagName.toLowerCase();
  const state = part.disabled ? " (disabled)" : part === document.activeElement ? " (focused)" : "";
  return `  ${kind} “${name(part)}”${state}`;
};
const parts = Array.from(document.querySelectorAll(PARTS)).filter(shown).slice(0, 60);
const text = squeeze(document.body ? document.body.innerText : "").slice(0, 1200);
return [`title “${document.title}”`, ...parts.map(line), "text:", `  ${text}`].join("\n");
