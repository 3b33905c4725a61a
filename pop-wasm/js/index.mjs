// What an application imports: the module, loaded once, in the shapes that the web has for such things.
import * as glue from "./holdfast_pop.js";
import { OURS, mine, withHandlers, withStates } from "./shapes.mjs";

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
const THUMBPRINT = 0, PROVE = 1, HEAR = 2, MAKE_KEY = 3, REFRESH_KEY = 4, CSRF = 5, NOTE_NONCE = 6, DIAL = 7;
const DESTROY = 8, ADOPT = 9, LISTEN = 10, SEND = 11, HELD_BYTES = 12, WIRE = 13, RETRY_NOW = 14, CLOSE = 15;

/** What the wasm tells at once. It tells a value, or a code and a sentence. */
function now(object, verb, ...what) {
  let value;
  let error;
  object(verb, [teller((told) => (value = told), (thrown) => (error = thrown)), ...what]);
  if (error) throw error;
  return value;
}

const teller = (done, failed) => (value, code, sentence) =>
  code ? failed(new PopError(code, sentence)) : done(value);

/** What it tells when it is done. */
const later = (object, verb, ...what) =>
  new Promise((done, failed) => object(verb, [teller(done, failed), ...what]));

const PLAIN_PATH = /^\/(?!\/)[\w/-]*$/;

/** Whether its body is a stream: the standard lets nobody send one in this mode, and says so before it reads. */
function isReadOnce(request) {
  const copy = request.clone();
  try {
    new Request(copy, { method: "POST", mode: "no-cors" });
  } catch {
    // Nobody reads this half of it. Without a body it is something else that does not fit the mode.
    return copy.body?.cancel();
  }
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
    if (key.#client !== client) throw new PopError("no_key", "Not this client's.");
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
    // It is spelled as a browser spells it.
    this.#address("");
    now(client, HEAR, (_, detail) => this.dispatchEvent(new CustomEvent("status", { detail })));
  }

  static async open({ origin = globalThis.location?.origin, csrf } = {}) {
    if (!loaded) throw new PopError("not_loaded", "call `await init()` first");
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
      throw new PopError("wrong_origin", `${address.origin} is not ${this.#origin}.`);
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

  fetch(input, init) {
    return new Promise((done, failed) => {
      // Made once, whatever it is made of: what is checked is what is sent.
      const asked = new Request(input instanceof Request ? input : new URL(input, this.#origin), {
        ...init,
        credentials: "same-origin",
        // A proof names one address: followed elsewhere it would be stale.
        redirect: "error",
      });
      const { signal } = asked;
      signal.throwIfAborted();
      signal.onabort = () => failed(signal.reason);
      this.#proven(asked, init?.body instanceof ReadableStream || isReadOnce(asked)).then(done, failed);
    });
  }

  async #proven(asked, once) {
    const { method, url } = asked;
    const { pathname } = this.#address(url);
    for (const tried = {}; ; ) {
      const request = once ? asked : asked.clone();
      const { headers } = request;
      headers.set("DPoP", await this.proof(method, pathname));
      if (method !== "GET" && method !== "HEAD") {
        const token = await later(this.#client, CSRF);
        if (token !== undefined) headers.set("X-CSRF-Token", token);
      }
      const response = await fetch(request);
      // Where there is none, there is none to note.
      this.noteNonce(response.headers.get("DPoP-Nonce"));
      // What was sent once is the caller's to judge.
      if (response.status !== 401 || once) return response;
      // RFC 9449 section 9, which an answer to HEAD can say as well.
      const stale = /use_dpop_nonce/.test(response.headers.get("WWW-Authenticate"));
      // Otherwise a lagging tab is worth one more try: another may have signed in anew. Each reason counts once.
      if (tried[stale] || !(stale || (await this.refreshKey()))) return response;
      tried[stale] = true;
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
const CODES = { closed: 1006, refused: 4400, signed_out: 4403, no_key: 4403, ended_by_owner: 4404 };

/** What an application may close with: the rest of 4400 to 4499 is that protocol's, too. */
const APPLICATIONS = /^(1000|3\d{3}|4[0-35-9]\d\d)$/;

/** A WebSocket that is proven and comes back by itself. */
export class PopSocket extends EventTarget {
  #line;
  #wish;
  // Blobs are read before they are sent, and what comes after them waits.
  #before;
  // Whether one of them was never sent.
  #lost;
  // Whether it is proven.
  #flows;
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
      this.#flows = state === "open";
      if (this.#flows && this.#state === 0) {
        this.#state = 1;
        this.dispatchEvent(new Event("open"));
      }
      if (state === "ended") {
        this.#state = 3;
        const closed = { closed: this.#wish, ended_by_application: now(line, WIRE)?.closed }[what];
        if (!closed) this.dispatchEvent(new Event("error"));
        this.dispatchEvent(new CloseEvent("close", closed ?? { code: CODES[what], reason: what }));
      }
    });
  }

  get readyState() {
    return this.#state;
  }

  get bufferedAmount() {
    return now(this.#line, HELD_BYTES) + (now(this.#line, WIRE)?.bufferedAmount ?? 0);
  }

  get protocol() {
    return now(this.#line, WIRE)?.protocol ?? "";
  }

  get extensions() {
    return "";
  }

  send(data) {
    if (this.#state === 0) throw new DOMException("Not proven yet.", "InvalidStateError");
    if (this.#state > 1) return;
    if (this.#before || data instanceof Blob) {
      const bytes = data instanceof Blob ? data.arrayBuffer() : data;
      const sent = Promise.all([bytes, this.#before])
        .then(([bytes]) => this.#send(bytes))
        .catch(() => {
          this.#lost = true;
          if (this.#state === 1) this.dispatchEvent(new Event("error"));
        })
        .then(() => this.#before === sent && (this.#before = undefined));
      this.#before = sent;
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
    if (!APPLICATIONS.test(code)) {
      throw new DOMException(`${code} is no application's.`, "InvalidAccessError");
    }
    reason = String(reason);
    if (new Blob([reason]).size > 123) throw new DOMException("More than 123 bytes.", "SyntaxError");
    if (this.#state > 1) return;
    this.#state = 2;
    // As with any WebSocket, what was sent before goes first, and nobody is told from inside the call.
    Promise.resolve(this.#before)
      .then(() => {
        const wire = now(this.#line, WIRE);
        // A last word says that all before it has arrived, and wants somebody who hears it.
        if (!this.#flows || this.#lost || wire.readyState !== 1) return;
        wire.close(code, reason);
        this.#wish = { code, reason, wasClean: true };
      })
      .finally(() => now(this.#line, CLOSE));
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
      const next = { open: 1, held: this.#state, ended: 2 }[state] ?? 0;
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
