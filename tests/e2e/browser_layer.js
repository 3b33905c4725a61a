// The small site's behaviour: a form that answers, a dialog, and a part that redraws itself.
const status = document.querySelector("[role=status]");
document.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  status.textContent = `Welcome, ${form.get("name")} (${form.get("email")})`;
});
const dialog = document.querySelector("dialog");
for (const button of document.querySelectorAll("li button")) {
  button.addEventListener("click", () => dialog.showModal());
}
dialog.querySelector("button").addEventListener("click", () => {
  status.textContent = `Renamed to ${dialog.querySelector("input").value}`;
  dialog.close();
});
globalThis.redraw = (times) => {
  const place = document.getElementById("redrawn");
  const draw = () => {
    place.innerHTML = "<button>Moving target</button>";
    place.firstChild.addEventListener("click", () => (status.textContent = "Hit"));
    if (times-- > 0) setTimeout(draw, 5);
  };
  draw();
};
globalThis.ticks = 0;
setInterval(() => globalThis.ticks++, 10);
document.addEventListener("freeze", () => (globalThis.wasFrozen = true));
