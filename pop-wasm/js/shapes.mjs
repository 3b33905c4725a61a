// How classes of this package become like those of the web.

/** Only this package makes its objects. */
export const OURS = Symbol();

export function mine(token) {
  if (token !== OURS) throw new TypeError("Illegal constructor");
}

/** `onopen` and its like, as attributes of the class. */
export function withHandlers(of, types) {
  for (const type of types) {
    const handlers = new WeakMap();
    Object.defineProperty(of.prototype, `on${type}`, {
      configurable: true,
      enumerable: true,
      get() {
        return handlers.get(this) ?? null;
      },
      set(handler) {
        this.removeEventListener(type, handlers.get(this));
        handlers.set(this, handler);
        this.addEventListener(type, handler);
      },
    });
  }
}

export function withStates(of, names) {
  names.forEach((name, value) => {
    for (const on of [of, of.prototype]) Object.defineProperty(on, name, { value, enumerable: true });
  });
}
