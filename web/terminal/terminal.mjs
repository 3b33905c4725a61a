// The terminal as a person sees it: what web/src/terminal/screen.rs asks of xterm.js, and no more. Loaded when
// somebody opens a terminal; xtask/src/terminal.rs makes one script of this and the three below.
import { Terminal } from "@xterm/xterm";
import { FitAddon } from "@xterm/addon-fit";
import STYLE from "@xterm/xterm/css/xterm.css";

/**
 * A style sheet that the page's policy allows: the document adopts it. xterm.js writes its colours and sizes
 * into <style> elements, which want a nonce or `unsafe-inline`; xtask/src/terminal.rs puts this in their place.
 * It stands in the page as they would, as a comment.
 */
const styleSheet = () => {
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  const place = document.createComment("");
  Object.defineProperty(place, "textContent", { set: (css) => sheet.replaceSync(css) });
  place.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
    Comment.prototype.remove.call(place);
  };
  return place;
};

/** Colours and font of the place that it stands in (styles/terminal.css), in light and dark. */
const look = (place) => {
  const style = getComputedStyle(place);
  const theme = {
    foreground: style.color,
    background: style.backgroundColor,
    cursor: style.caretColor,
    cursorAccent: style.backgroundColor,
    selectionBackground: style.textDecorationColor,
  };
  return { fontFamily: style.fontFamily, fontSize: Number.parseFloat(style.fontSize), theme };
};

/**
 * Opens one in an element that is on the page, as large as that. `hears` is told `typed(bytes)`,
 * `sized(columns, rows)` of later sizes, and `copies()` and `leaves()` when the person presses the keys for that.
 */
export const open = (place, hears) => {
  const terminal = new Terminal({
    ...look(place),
    // Programs choose colours for a background that they do not know.
    minimumContrastRatio: 4.5,
    screenReaderMode: true,
    scrollback: 5000,
    // What a program writes opens no address.
    linkHandler: { activate: () => {} },
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  const style = styleSheet();
  style.textContent = STYLE;
  terminal.open(place);
  fit.fit();

  const text = new TextEncoder();
  terminal.onData((data) => hears.typed(text.encode(data)));
  // Old mouse reports, a byte each.
  terminal.onBinary((data) => hears.typed(Uint8Array.from(data, (byte) => byte.charCodeAt(0))));
  terminal.onResize(({ cols, rows }) => hears.sized(cols, rows));
  terminal.attachCustomKeyEventHandler((event) => {
    const copies = event.code === "KeyC" && event.ctrlKey && event.shiftKey;
    const leaves = event.code === "F6" && event.shiftKey;
    if (!copies && !leaves) return true;
    // The browser would open its tools.
    event.preventDefault();
    if (event.type === "keydown") (copies ? hears.copies : hears.leaves)();
    return false;
  });

  // Out of sight it has no size, and keeps the one it had.
  const sizes = new ResizeObserver(() => place.clientHeight && fit.fit());
  sizes.observe(place);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const restyle = () => Object.assign(terminal.options, look(place));
  scheme.addEventListener("change", restyle);

  return {
    columns: () => terminal.cols,
    rows: () => terminal.rows,
    write: (bytes) => terminal.write(bytes),
    /** What is selected; of nothing, everything. */
    text: () => {
      if (terminal.hasSelection()) return terminal.getSelection();
      terminal.selectAll();
      const all = terminal.getSelection().trimEnd();
      terminal.clearSelection();
      return all;
    },
    focus: () => terminal.focus(),
    /** Nothing can be typed any more; what was shown stays. */
    freeze: () => {
      terminal.options.disableStdin = true;
    },
    close: () => {
      scheme.removeEventListener("change", restyle);
      sizes.disconnect();
      terminal.dispose();
      style.remove();
    },
  };
};
