// What takes a line in the browser's own language and much glue in Rust; each part says which file uses it. Keys
// and their store have theirs to themselves, in key.rs and key_store.rs. What is told is told with a number, which
// is zero or that of a list here, and what comes with it.

// browser.rs

export const settle = (promise, done) =>
  promise.then((value) => done(0, value), (error) => done(1, error));

// task.rs

export const soon = (then) => queueMicrotask(() => then(0));

// channel.rs

export const openChannel = (name, tell) => {
  try {
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => tell(0, data);
    return channel;
  } catch {
    // None here.
  }
};

// lock.rs

// The lock is held until the function that `granted` gets is called.
const hold = async (name, options, granted) =>
  navigator.locks.request(name, options, () => new Promise((release) => granted(release)));

export const acquireLock = (name, patienceMs) =>
  new Promise((done) => {
    hold(name, { signal: AbortSignal.timeout(patienceMs) }, done).catch(() => done());
  });

// `tell(0, release)` with the lock, `tell(1)` when it is lost. Gives what ends the waiting; nothing where there
// are no locks.
export const waitForLock = (name, steal, tell) => {
  if (!navigator.locks) return;
  const left = new AbortController();
  const options = steal ? { steal } : { signal: left.signal };
  hold(name, options, (release) => tell(0, release)).catch(() => tell(1));
  return () => left.abort();
};

// lifecycle.rs

const WOKEN = 0, CACHED = 1, UNCACHED = 2;

// In a worker there is only the network. Gives what ends the listening.
export const listenToLife = (tell) => {
  const ended = new AbortController();
  const on = (target, type, moment, holds = () => true) => {
    const heard = (event) => holds(event) && tell(moment);
    target.addEventListener(type, heard, { signal: ended.signal });
  };
  const isCached = ({ persisted }) => persisted;
  on(globalThis, "online", WOKEN);
  if (globalThis.document) {
    on(document, "visibilitychange", WOKEN, () => document.visibilityState === "visible");
    on(document, "resume", WOKEN);
    on(globalThis, "pagehide", CACHED, isCached);
    on(globalThis, "pageshow", UNCACHED, isCached);
  }
  return () => ended.abort();
};

// http.rs

// What the page gives, or the cookie `csrf`, which windows alone have at hand.
export const csrfToken = async (given) => {
  try {
    const token = given ? await given() : /(?:^|; ?)csrf=([^;]*)/.exec(document.cookie)?.[1];
    if (typeof token === "string") return token;
  } catch {
    // There is none.
  }
};

// What was answered, if it is JSON, with its status and what is said in its headers.
export const post = async (address, type, body, proof, csrf) => {
  const headers = { "Content-Type": type };
  if (proof) headers.DPoP = proof;
  const token = await csrfToken(csrf);
  if (token !== undefined) headers["X-CSRF-Token"] = token;
  const response = await fetch(address, {
    method: "POST",
    headers,
    body,
    credentials: "same-origin",
    cache: "no-store",
    // A proof names one address: followed elsewhere it would be stale.
    redirect: "error",
    signal: AbortSignal.timeout(15_000),
  });
  const answer = await response.json().catch(() => {});
  const header = (name) => response.headers.get(name);
  // RFC 9110's `delay-seconds`; a date, which Holdfast never sends, counts as nothing.
  const after = header("Retry-After") * 1000 || 0;
  // RFC 9449 section 9.
  const stale = header("WWW-Authenticate")?.match("use_dpop_nonce");
  return { ...answer, status: response.status, nonce: header("DPoP-Nonce"), stale, after };
};

// transport.rs

const OPENED = 0, FRAME = 1, LOST = 2, CONTROL = 3, EVENT = 4;

// Nothing where the browser will not have it: names of subprotocols that are none, or a policy of the page.
export const dialSocket = (address, protocols, tell) => {
  try {
    const socket = new WebSocket(address, protocols.split(","));
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => tell(OPENED));
    socket.addEventListener("message", ({ data }) => tell(FRAME, data));
    // `error` says nothing that `close` does not; how it was closed is kept for js/index.mjs.
    socket.addEventListener("close", (event) => tell(LOST, (socket.closed = event).code));
    return socket;
  } catch {
    // It does not say why.
  }
};

export const dialEvents = (address, tell) => {
  try {
    const source = new EventSource(address);
    // The application may have events of the browser's names, too: what the browser tells has no data.
    const ofBrowser = (what, code) => ({ data }) => data === undefined && tell(what, code);
    source.addEventListener("open", ofBrowser(OPENED));
    // The browser's own reconnection would spend the same ticket twice: the first error is the end.
    source.addEventListener("error", ofBrowser(LOST, 1006));
    source.addEventListener("pop", ({ data }) => tell(CONTROL, data));
    return source;
  } catch {
    // It does not say why.
  }
};

export const hearEvents = (source, name, tell) =>
  source.addEventListener(name, (event) => tell(EVENT, event));

export const hasEvents = () => !!globalThis.EventSource;

// js.rs

// What a listener throws is the listener's; it must not stop the connection.
export const tell = (listener, ...what) => {
  try {
    listener(...what);
  } catch {}
};
