// Where the checks run: in this window, or in a worker that answers messages.

const WORKER = "/theirs/worker.mjs";

const csrf = () => /(?:^|; )csrf=([^;]*)/.exec(document.cookie)?.[1];

/** Asks a worker, each time over a channel of its own. */
const asking = (worker, broken) => (what, ...given) => {
  const { port1, port2 } = new MessageChannel();
  const answered = new Promise((done, failed) => {
    port1.onmessage = ({ data }) => ("error" in data ? failed(new Error(data.error)) : done(data.value));
  });
  worker.postMessage({ what, given, csrf: csrf() }, [port2]);
  return Promise.race([answered, broken]);
};

/** A worker whose script does not load or does not compile says so here. */
const broken = (worker) =>
  new Promise((_, failed) => worker.addEventListener("error", ({ message }) => failed(new Error(message || "broken"))));

const PLACES = {
  async window() {
    const suite = await import("/theirs/suite.mjs");
    return async (what, ...given) => suite[what](...given);
  },
  async dedicated_worker() {
    const worker = new Worker(WORKER, { type: "module" });
    return asking(worker, broken(worker));
  },
  async shared_worker() {
    const worker = new SharedWorker(WORKER, { type: "module" });
    return asking(worker.port, broken(worker));
  },
  async service_worker() {
    await navigator.serviceWorker.register(WORKER, { type: "module" });
    // This page is in its scope.
    const { active } = await navigator.serviceWorker.ready;
    return asking(active, new Promise(() => {}));
  },
};

/** A function that calls what `suite.mjs` exports, by name, in this place. */
export const at = (place) => PLACES[place]();
