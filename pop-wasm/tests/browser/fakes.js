// What the tests put in the place of the network, the disk and the other tabs, in a window or a worker.

const { fetch, WebSocket, EventSource, BroadcastChannel, setTimeout } = globalThis;
const { open } = IDBFactory.prototype;
const { put: write } = IDBObjectStore.prototype;

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

async function database() {
  const request = open.call(indexedDB, "holdfast-pop", 1);
  request.onupgradeneeded = () => request.result.createObjectStore("keys");
  return settled(request);
}

export async function stored() {
  const db = await database();
  const record = await settled(db.transaction("keys").objectStore("keys").get("current"));
  db.close();
  return record;
}

async function put(record) {
  const db = await database();
  const transaction = db.transaction("keys", "readwrite");
  if (record === undefined) transaction.objectStore("keys").delete("current");
  else write.call(transaction.objectStore("keys"), record, "current");
  await new Promise((resolve) => (transaction.oncomplete = resolve));
  db.close();
}

export const wipe = () => put(undefined);

// Everything that would give the private half away, tried on the stored key. Lists what succeeded.
export async function leaks() {
  const { privateKey } = await stored();
  const wrapping = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["wrapKey"]);
  const iv = new Uint8Array(12);
  const tries = {
    extractable: () => (privateKey.extractable ? true : Promise.reject()),
    pkcs8: () => crypto.subtle.exportKey("pkcs8", privateKey),
    jwk: () => crypto.subtle.exportKey("jwk", privateKey),
    raw: () => crypto.subtle.exportKey("raw", privateKey),
    wrapped: () => crypto.subtle.wrapKey("pkcs8", privateKey, wrapping, { name: "AES-GCM", iv }),
    wrappedJwk: () => crypto.subtle.wrapKey("jwk", privateKey, wrapping, { name: "AES-GCM", iv }),
    usages: () => (privateKey.usages.join() === "sign" ? Promise.reject() : true),
  };
  const done = [];
  for (const [name, attempt] of Object.entries(tries)) {
    await Promise.resolve().then(attempt).then(() => done.push(name), () => {});
  }
  return done.join();
}

export async function corrupt(how) {
  const record = await stored();
  const made = (extractable) =>
    crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, extractable, ["sign"]);
  const ways = {
    "not an object": async () => "key",
    "no private key": async () => ({ ...record, privateKey: undefined }),
    "private key is text": async () => ({ ...record, privateKey: "key" }),
    "public key": async () => ({ ...record, privateKey: (await made(false)).publicKey }),
    extractable: async () => ({ ...record, privateKey: (await made(true)).privateKey }),
    "other curve": async () => ({
      ...record,
      privateKey: (await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-384" }, false, ["sign"])).privateKey,
    }),
    "short x": async () => ({ ...record, x: record.x.slice(1) }),
    "padded y": async () => ({ ...record, y: record.y + "=" }),
    "other thumbprint": async () => ({ ...record, thumbprint: record.x }),
    "no thumbprint": async () => ({ ...record, thumbprint: 7 }),
    unreadable: async () => null,
  };
  await put(await ways[how]());
}

export function breakStore(how) {
  if (how === "open") IDBFactory.prototype.open = () => { throw new DOMException("denied", "SecurityError"); };
  if (how === "hang") IDBFactory.prototype.open = () => new EventTarget();
  if (how === "put") IDBObjectStore.prototype.put = () => { throw new DOMException("no keys", "DataCloneError"); };
}

// The network: what was asked for, and what the test answers.

class FakeSocket {
  static all = [];
  static CONNECTING = 0; static OPEN = 1; static CLOSING = 2; static CLOSED = 3;
  readyState = 0;
  sent = [];
  listeners = {};
  constructor(url, protocols) {
    this.url = url;
    this.protocols = protocols;
    FakeSocket.all.push(this);
  }
  addEventListener(name, f) { (this.listeners[name] ??= []).push(f); }
  removeEventListener(name, f) { this.listeners[name] = this.listeners[name]?.filter((other) => other !== f); }
  send(data) { this.sent.push(typeof data === "string" ? data : new Uint8Array(data)); }
  close(...how) { this.readyState = 3; this.closedByPage ??= how.join(" "); }
  emit(event) {
    this["on" + event.type]?.(event);
    this.listeners[event.type]?.forEach((f) => f(event));
  }
}
class FakeEvents extends FakeSocket {}

let answers = [];
let requests = [];

export function fakeNetwork() {
  answers = [];
  requests = [];
  FakeSocket.all = [];
  globalThis.WebSocket = FakeSocket;
  globalThis.EventSource = FakeEvents;
  globalThis.fetch = async (url, options) => {
    requests.push({ url: String(url), options });
    const answer = answers.shift() ?? { status: 204 };
    if (answer.status === 0) throw new TypeError("offline");
    const { status, headers, body } = answer;
    const text = typeof body === "string" ? body : JSON.stringify(body ?? {});
    return new Response(status === 204 ? null : text, { status, headers });
  };
}

/** A body that is a string is sent as it is. */
export function answerNext(status, headers, body) {
  answers.push({ status, headers: JSON.parse(headers), body: JSON.parse(body) });
}

export const requestCount = () => requests.length;
export const requestUrl = (at) => requests[at].url;
export const requestHeader = (at, name) => requests[at].options.headers[name];
export const requestBody = (at) => requests[at].options.body;
export const requestOption = (at, name) => requests[at].options[name];

export const dialCount = () => FakeSocket.all.length;
export const dialUrl = (at) => FakeSocket.all[at].url;
export const dialProtocols = (at) => (FakeSocket.all[at].protocols ?? []).join();
export const dialClosed = (at) => FakeSocket.all[at].closedByPage !== undefined;
export const dialClosedWith = (at) => FakeSocket.all[at].closedByPage;
export const sentCount = (at) => FakeSocket.all[at].sent.length;
export const sentText = (at, message) => String(FakeSocket.all[at].sent[message]);

export function opened(at) {
  FakeSocket.all[at].readyState = 1;
  FakeSocket.all[at].emit(new Event("open"));
}
export const arrive = (at, name, data) => FakeSocket.all[at].emit(new MessageEvent(name, { data }));
export const arriveBytes = (at, bytes) =>
  FakeSocket.all[at].emit(new MessageEvent("message", { data: bytes.slice().buffer }));
export function lost(at, code) {
  FakeSocket.all[at].readyState = 3;
  FakeSocket.all[at].emit(code === 0 ? new Event("error") : new CloseEvent("close", { code, reason: "said" }));
}

export const setCookie = (cookie) => { document.cookie = cookie; };

/** Whether there is a page that can go into the back/forward cache: a worker has none. */
export const isPage = () => "document" in globalThis;
// No worker knows a `PageTransitionEvent`.
export const pageEvent = (name, persisted) =>
  globalThis.dispatchEvent(Object.assign(new Event(name), { persisted }));
export const online = () => globalThis.dispatchEvent(new Event("online"));

let letGo = () => {};
/** A tab that holds a lock and answers nobody; it takes the lock from whoever has it. */
export const holdLock = (name) =>
  new Promise((held) => {
    const until = new Promise((done) => (letGo = done));
    navigator.locks.request(name, { steal: true }, () => (held(), until)).catch(() => {});
  });

/** Whoever opens from now on neither hears the other tabs nor is heard. */
export function isolate() {
  globalThis.BroadcastChannel = class { constructor() { throw new DOMException("none", "NotSupportedError"); } };
}

/** From now on the module's time passes so many times as fast. */
export function hurry(times) {
  const { now } = Performance.prototype;
  globalThis.setTimeout = (then, ms, ...what) => setTimeout(then, ms / times, ...what);
  performance.now = () => now.call(performance) * times;
}

/** How many wait for a lock. */
export const waiting = async (name) => {
  const { pending } = await navigator.locks.query();
  return pending.filter((lock) => lock.name === name).length;
};

export function repair() {
  letGo();
  delete performance.now;
  Object.assign(globalThis, { fetch, WebSocket, EventSource, BroadcastChannel, setTimeout });
  IDBFactory.prototype.open = open;
  IDBObjectStore.prototype.put = write;
}

// Whatever was under way has had its turn: each round goes once through everything that the module
// waits for itself. A signature is followed by a message at most, and that by another signature.
export async function untilIdle() {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const { privateKey } = await crypto.subtle.generateKey(algorithm, false, ["sign"]);
  const [here, there] = [new BroadcastChannel("idle"), new BroadcastChannel("idle")];
  for (let round = 0; round < 3; round += 1) {
    await crypto.subtle.sign(algorithm, privateKey, new Uint8Array(1));
    (await settled(open.call(indexedDB, "idle"))).close();
    const heard = new Promise((done) => (there.onmessage = done));
    here.postMessage(round);
    await heard;
    await sleep(0);
  }
  here.close();
  there.close();
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
