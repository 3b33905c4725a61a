// What an application imports: the module, loaded once, in the shapes that the web has for such things.
import * as glue from "./holdfast_pop.js";

/** A response is compiled while it comes, where the server calls it what it is. */
async function instantiated(source) {
  const imports = glue.imports();
  if (!(source instanceof Response)) return WebAssembly.instantiate(source, imports);
  if (!source.ok) throw new Error(`${source.url}: ${source.status}`);
  return source.headers.get("Content-Type") === "application/wasm"
    ? WebAssembly.instantiateStreaming(source, imports)
    : WebAssembly.instantiate(await source.arrayBuffer(), imports);
}

async function load(source) {
  const isAddress = typeof source === "string" || source instanceof URL || source instanceof Request;
  const made = await instantiated(await (isAddress ? fetch(source) : source));
  // Of a compiled module it is the instance itself.
  glue.start(made.instance ?? made);
}

let loading;
let loaded = false;

/** Loads the module, once however often it is called. A failed load can be tried again. */
export function init(source = new URL("holdfast_pop_bg.wasm", import.meta.url)) {
  loading ??= load(source).then(
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

/** Everything that this module throws, but for what the web's own shapes throw. */
export class PopError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}
PopError.prototype.name = "PopError";

/** What the functions that the wasm gives do, as src/js.rs numbers it. */
const [THUMBPRINT, PROVE, HEAR, MAKE_KEY, REFRESH_KEY, CSRF, NOTE_NONCE, DIAL, DESTROY, ADOPT] = Array(10).keys();
const [LISTEN, SEND, BUFFERED_AMOUNT, PROTOCOL, RETRY_NOW, CLOSE] = [10, 11, 12, 13, 14, 15];

/** What the wasm tells at once. It tells a value, or a code and a sentence. */
function now(object, verb, ...what) {
  let value;
  let error;
  object(verb, [(...told) => ([value, error] = told), ...what]);
  if (error) throw new PopError(...error);
  return value;
}

const teller = (done, failed) => (value, error) => (error ? failed(new PopError(...error)) : done(value));

/** What it tells when it is done. */
const later = (object, verb, ...what) =>
  new Promise((done, failed) => object(verb, [teller(done, failed), ...what]));

const PLAIN_PATH = /^\/(?!\/)[\w/-]*$/;

// Only this file makes them.
const OURS = Symbol();

function mine(token) {
  if (token !== OURS) throw new TypeError("Illegal constructor");
}

/** `onopen` and its like, as attributes of the class. */
function withHandlers(of, types) {
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

function withStates(of, names) {
  names.forEach((name, value) => {
    for (const on of [of, of.prototype]) Object.defineProperty(on, name, { value, enumerable: true });
  });
}

/** A key that no ceremony has vouched for yet. */
export class NewKey {
  #key;
  #client;
  #path;

  constructor(token, key, client, path) {
    mine(token);
    this.#key = key;
    this.#client = client;
    this.#path = path;
  }

  static taken(token, key, client) {
    mine(token);
    if (key.#client !== client) throw new PopError("no_key", "This key belongs to another client.");
    return key.#key;
  }

  get thumbprint() {
    return now(this.#key, THUMBPRINT);
  }

  async proof(method, url) {
    return later(this.#key, PROVE, method, this.#path(url));
  }
}

export class PopClient extends EventTarget {
  #client;
  #origin;

  constructor(token, client, origin) {
    super();
    mine(token);
    this.#client = client;
    this.#origin = origin;
    now(client, HEAR, (_, detail) => this.dispatchEvent(new CustomEvent("status", { detail })));
  }

  static async open({ origin = globalThis.location?.origin, csrf } = {}) {
    if (!loaded) throw new PopError("not_loaded", "call `await init()` of @holdfast/pop before PopClient.open()");
    const token = typeof csrf === "string" ? () => csrf : csrf;
    const client = await later((_, [done]) => glue.open(String(origin), token, done));
    return new PopClient(OURS, client, String(origin));
  }

  get thumbprint() {
    return now(this.#client, THUMBPRINT);
  }

  async makeKey() {
    const path = (url) => this.#address(url).pathname;
    return new NewKey(OURS, await later(this.#client, MAKE_KEY), this, path);
  }

  async adopt(key) {
    return later(NewKey.taken(OURS, key, this), ADOPT);
  }

  refreshKey() {
    return later(this.#client, REFRESH_KEY);
  }

  /** The address, if it is this client's. A WebSocket's may be spelled with `ws`. */
  #address(url) {
    const address = new URL(url, this.#origin);
    if (address.origin.replace(/^ws/, "http") !== this.#origin) {
      throw new PopError("wrong_origin", `${address.origin} does not belong to ${this.#origin}.`);
    }
    return address;
  }

  proof(method, url) {
    // Everything in one promise: a second one around it would cost a twentieth of the proof's time.
    return new Promise((done, failed) => {
      // A plain path needs no parsing, which would take a tenth.
      const path = PLAIN_PATH.test(url) ? url : this.#address(url).pathname;
      this.#client(PROVE, [teller(done, failed), method, path]);
    });
  }

  noteNonce(nonce) {
    now(this.#client, NOTE_NONCE, nonce);
  }

  connect(url, protocols = []) {
    const { href, pathname, search } = this.#address(url);
    const line = now(this.#client, DIAL, pathname + search, ["", ...[protocols].flat()].join());
    return new PopSocket(OURS, line, href.replace(/^http/, "ws"));
  }

  stream(url) {
    const { href, pathname, search } = this.#address(url);
    return new PopEventSource(OURS, now(this.#client, DIAL, pathname + search), href);
  }

  async fetch(input, init = {}) {
    const given = input instanceof Request ? input : undefined;
    const { pathname } = this.#address(given?.url ?? input);
    // What can be read only once is sent once: what the server then says is the caller's to judge.
    const once = init.body instanceof ReadableStream;
    for (let tries = 1; ; tries += 1) {
      const request = new Request(given?.clone() ?? new URL(input, this.#origin), {
        ...init,
        credentials: "same-origin",
        // A proof names one address: followed elsewhere it would be stale.
        redirect: "error",
      });
      const { headers, method } = request;
      request.signal.throwIfAborted();
      headers.set("DPoP", await this.proof(method, pathname));
      if (method !== "GET" && method !== "HEAD") {
        const token = await later(this.#client, CSRF);
        if (token !== undefined) headers.set("X-CSRF-Token", token);
      }
      const response = await fetch(request);
      const nonce = response.headers.get("DPoP-Nonce");
      if (nonce) this.noteNonce(nonce);
      if (response.status !== 401 || once || tries > 2) return response;
      const problem = await response.clone().json().catch(() => undefined);
      // Otherwise a lagging tab is worth one more try: another may have signed in anew.
      if (problem?.code !== "use_dpop_nonce" && !(await this.refreshKey())) return response;
    }
  }

  destroy() {
    return later(this.#client, DESTROY);
  }
}
withHandlers(PopClient, ["status"]);

/** What the number or word that comes with a state means. */
const DETAILS = { open: "rttMs", waiting: "retryInMs", ended: "why" };

function tellState(of, state, what) {
  const detail = state in DETAILS ? { state, [DETAILS[state]]: what } : { state };
  of.dispatchEvent(new CustomEvent("state", { detail }));
}

/** How the close codes of pop.md are called. */
const CODES = { closed: 1000, refused: 4400, signed_out: 4403, no_key: 4403, ended_by_owner: 4404 };

/** A WebSocket that is proven and comes back by itself. */
export class PopSocket extends EventTarget {
  #line;
  #wish = { code: 1000, reason: "" };
  // Blobs are read before they are sent, and what comes after them waits.
  #before = undefined;
  #state = 0;
  binaryType = "blob";

  constructor(token, line, url) {
    super();
    mine(token);
    this.#line = line;
    Object.defineProperty(this, "url", { value: url, enumerable: true });
    now(line, HEAR, (state, what) => {
      if (state === "message") {
        const data = typeof what === "string" ? what : this.binaryType === "blob" ? new Blob([what]) : what.buffer;
        this.dispatchEvent(new MessageEvent(state, { data, origin: new URL(url).origin }));
        return;
      }
      tellState(this, state, what);
      if (state === "open" && this.#state === 0) {
        this.#state = 1;
        this.dispatchEvent(new Event("open"));
      }
      if (state === "ended") {
        this.#state = 3;
        const wasClean = what === "closed";
        if (!wasClean) this.dispatchEvent(new Event("error"));
        const said = wasClean ? this.#wish : { code: CODES[what], reason: what };
        this.dispatchEvent(new CloseEvent("close", { wasClean, ...said }));
      }
    });
  }

  get readyState() {
    return this.#state;
  }

  get bufferedAmount() {
    return now(this.#line, BUFFERED_AMOUNT);
  }

  get protocol() {
    return now(this.#line, PROTOCOL);
  }

  get extensions() {
    return "";
  }

  send(data) {
    if (this.#state === 0) throw new DOMException("The connection is not proven yet.", "InvalidStateError");
    if (this.#state > 1) return;
    if (this.#before || data instanceof Blob) {
      const bytes = data instanceof Blob ? data.arrayBuffer() : data;
      const sent = Promise.all([bytes, this.#before]).then(([bytes]) => this.#send(bytes), () => {});
      this.#before = sent;
      sent.finally(() => {
        if (this.#before === sent) this.#before = undefined;
      });
    } else {
      this.#send(data);
    }
  }

  #send(data) {
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
    const view = ArrayBuffer.isView(bytes) && new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    now(this.#line, SEND, view || String(bytes));
  }

  retryNow() {
    now(this.#line, RETRY_NOW);
  }

  close(code = 1000, reason = "") {
    if (code !== 1000 && !(code >= 3000 && code <= 4999)) {
      throw new DOMException(`${code} is no close code of an application.`, "InvalidAccessError");
    }
    if (this.#state > 1) return;
    this.#state = 2;
    this.#wish = { code, reason };
    // As with any WebSocket, nobody is told from inside the call.
    queueMicrotask(() => now(this.#line, CLOSE));
  }
}
withStates(PopSocket, ["CONNECTING", "OPEN", "CLOSING", "CLOSED"]);
withHandlers(PopSocket, ["open", "message", "error", "close", "state"]);

/** Server-sent events that are proven and come back by themselves. */
export class PopEventSource extends EventTarget {
  #line;
  #heard = new Set(["open", "error", "state"]);
  #origin;
  #state = 0;

  constructor(token, line, url) {
    super();
    mine(token);
    this.#line = line;
    this.#origin = new URL(url).origin;
    Object.defineProperty(this, "url", { value: url, enumerable: true });
    now(line, HEAR, (state, what, data, lastEventId) => {
      if (state === "event") {
        this.dispatchEvent(new MessageEvent(what, { data, lastEventId, origin: this.#origin }));
        return;
      }
      tellState(this, state, what);
      if (this.#state === 2) return;
      const next = state === "open" || state === "held" ? 1 : state === "ended" ? 2 : 0;
      if (next === this.#state) return;
      this.#state = next;
      this.dispatchEvent(new Event(next === 1 ? "open" : "error"));
    });
  }

  get readyState() {
    return this.#state;
  }

  get withCredentials() {
    return true;
  }

  addEventListener(type, ...rest) {
    if (!this.#heard.has(type)) {
      this.#heard.add(type);
      now(this.#line, LISTEN, type);
    }
    super.addEventListener(type, ...rest);
  }

  retryNow() {
    now(this.#line, RETRY_NOW);
  }

  close() {
    // As with any EventSource, nobody is told.
    this.#state = 2;
    now(this.#line, CLOSE);
  }
}
withStates(PopEventSource, ["CONNECTING", "OPEN", "CLOSED"]);
withHandlers(PopEventSource, ["open", "message", "error", "state"]);
