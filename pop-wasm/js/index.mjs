// What an application imports: the module, loaded once, with words for those who forget to.
import load, * as glue from "./holdfast_pop.js";

let loading;
let loaded = false;

/**
 * Loads the module, once however often it is called. A failed load can be tried again.
 * @param {string | URL | Request | Response | BufferSource | WebAssembly.Module} [source]
 */
export function init(source) {
  loading ??= load(source === undefined ? undefined : { module_or_path: source }).then(
    () => {
      loaded = true;
    },
    (error) => {
      loading = undefined;
      throw error;
    },
  );
  return loading;
}

export const PopClient = Object.freeze({
  async open({ origin = globalThis.location?.origin } = {}) {
    if (!loaded) {
      throw Object.assign(new Error("call `await init()` of @holdfast/pop before PopClient.open()"), {
        name: "PopError",
        code: "not_loaded",
      });
    }
    return glue.PopClient.open(String(origin));
  },
});
