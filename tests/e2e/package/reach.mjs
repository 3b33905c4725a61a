// Whatever a caller of the package gets to see, and whether a key can be reached from it.

/** Calls `see` with all that these classes give, throw and tell. */
export function watch(classes, see) {
  const seen = (work) => {
    try {
      const given = work();
      see(given);
      if (given instanceof Promise) given.then(see, see);
      return given;
    } catch (error) {
      see(error);
      throw error;
    }
  };
  for (const on of classes.flatMap((of) => [of, of.prototype])) {
    for (const [name, member] of Object.entries(Object.getOwnPropertyDescriptors(on))) {
      const { value, get } = member;
      if (!member.configurable || name === "constructor" || name === "prototype") continue;
      if (typeof value === "function") {
        member.value = function (...given) {
          return seen(() => value.apply(this, given));
        };
      }
      if (get) {
        member.get = function () {
          return seen(() => get.call(this));
        };
      }
      Object.defineProperty(on, name, member);
    }
  }
  const { dispatchEvent } = EventTarget.prototype;
  EventTarget.prototype.dispatchEvent = function (event) {
    see(event);
    return dispatchEvent.call(this, event);
  };
}

/** Whether a `CryptoKey` can be reached: through members, getters, prototypes and collections. */
export function reachesKey(root) {
  const seen = new Set([globalThis, globalThis.document]);
  const next = [root];
  while (next.length > 0) {
    const value = next.pop();
    const holds = (typeof value === "object" && value !== null) || typeof value === "function";
    if (!holds || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof CryptoKey) return true;
    if (value instanceof Map || value instanceof Set) next.push(...[...value].flat());
    for (let at = value; at !== null; at = Object.getPrototypeOf(at)) {
      for (const name of Reflect.ownKeys(at)) {
        try {
          next.push(Reflect.get(at, name, value));
        } catch {
          // A getter of something else.
        }
      }
    }
  }
  return false;
}
