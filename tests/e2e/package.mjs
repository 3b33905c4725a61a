// What an integrator relies on, checked in their window or worker, one after another.
import * as pop from "/theirs/pop/index.mjs";
import { event, expect, is } from "/theirs/checks.mjs";
import { reachesKey, watch } from "/theirs/reach.mjs";
import { TRAFFIC } from "/theirs/traffic.mjs";

const { init, NewKey, PopClient, PopError, PopSocket, PopEventSource } = pop;

/** What the package has given, thrown and told since the last look. */
const seen = [];
watch([NewKey, PopClient, PopError, PopSocket, PopEventSource], (what) => seen.push(what));

const place = globalThis.constructor.name.replace("GlobalScope", "");
/** A window finds the CSRF token by itself; a worker is given it, in each of the ways that `csrf` takes. */
const CSRF = {
  Window: () => ({}),
  DedicatedWorker: () => ({ csrf: token }),
  SharedWorker: () => ({ csrf: async () => token }),
  ServiceWorker: () => ({ csrf: () => token }),
};
let token;

/** What no worker can read: the page tells it with every question. */
export function learn(csrf) {
  token = csrf;
}

export const where = () => place;

let ceremony;

/** A client of its own; where no key can be stored, the one that has it. */
const open = async (options) =>
  ceremony.kept === "memory-only" && !options ? ceremony.client : PopClient.open({ ...CSRF[place](), ...options });

async function rejects(work, name) {
  const error = await Promise.resolve().then(work).then(() => undefined, (error) => error);
  expect(error !== undefined, `it does not throw ${name}`);
  expect((error.code === name && error instanceof PopError) || error.name === name, `${error} is not ${name}`);
}

const own = (of) => Object.getOwnPropertyNames(of.prototype).filter((name) => name !== "constructor").sort().join(" ");

/** The module's record in IndexedDB, as any script of the page can read it. */
async function stored() {
  const settled = (request) =>
    new Promise((done, failed) => {
      request.onsuccess = () => done(request.result);
      request.onerror = () => failed(request.error);
    });
  const database = await settled(indexedDB.open("holdfast-pop"));
  const record = await settled(database.transaction("keys").objectStore("keys").get("current"));
  database.close();
  return record;
}

/** Tries everything that would give a private key away. */
async function attempts(privateKey) {
  const { subtle } = crypto;
  const wrapping = await subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["wrapKey"]);
  const algorithm = { name: "AES-GCM", iv: new Uint8Array(12) };
  const attempt = (work) => work().then(() => "given away", ({ name }) => name);
  const results = {};
  for (const format of ["raw", "pkcs8", "spki", "jwk"]) {
    results[`export ${format}`] = await attempt(() => subtle.exportKey(format, privateKey));
    results[`wrap ${format}`] = await attempt(() => subtle.wrapKey(format, privateKey, wrapping, algorithm));
  }
  return results;
}

const UNLOADED = {
  async "a client before init says what to do"() {
    await rejects(() => PopClient.open(), "not_loaded");
  },

  async "init is idempotent"() {
    is(init(), init());
    await init();
    await init();
  },
};

const SIGNED_IN = {
  async "what is exported is known, and nothing signs what somebody hands it"() {
    is(Object.keys(pop).sort().join(" "), "NewKey PopClient PopError PopEventSource PopSocket init");
    is(own(NewKey), "proof thumbprint");
    is(own(PopClient), "adopt connect destroy fetch makeKey noteNonce onstatus proof refreshKey stream thumbprint");
    const [handlers, states] = ["onclose onerror onmessage onopen onstate", "CLOSED CLOSING CONNECTING OPEN"];
    const socket = `bufferedAmount close extensions ${handlers} protocol readyState retryNow send`;
    is(own(PopSocket), `${states} ${socket}`);
    const source = "addEventListener close onerror onmessage onopen onstate readyState retryNow withCredentials";
    is(own(PopEventSource), `CLOSED CONNECTING OPEN ${source}`);
    const client = await open();
    is(Object.keys(client).join(), "");
    const [line, stream] = [client.connect("/v1/streams/activity"), client.stream("/v1/streams/activity")];
    is(`${Object.keys(line).sort()} ${Object.keys(stream)}`, "binaryType,url url");
    line.close();
    stream.close();
    await rejects(() => new PopClient(), "TypeError");
    await rejects(() => client.proof("POST /", "/v1/me"), "bad_argument");
    const every = Object.getOwnPropertyNames(class Empty {});
    const statics = (of) => Object.getOwnPropertyNames(of).filter((name) => ![...every, ...states.split(" ")].includes(name));
    is([NewKey, PopClient, PopError, PopSocket, PopEventSource].flatMap(statics).join(" "), "taken open");
    const key = await client.makeKey();
    await rejects(() => NewKey.taken(undefined, key), "TypeError");
  },

  async "the stored key can be neither exported nor wrapped"() {
    if (ceremony.kept === "memory-only") return is(await stored(), undefined);
    const { privateKey } = await stored();
    expect(privateKey instanceof CryptoKey, "no key");
    is(`${privateKey.type} ${privateKey.extractable} ${privateKey.usages}`, "private false sign");
    for (const [attempt, result] of Object.entries(await attempts(privateKey))) {
      expect(/^(InvalidAccess|NotSupported)Error$/.test(result), `${attempt}: ${result}`);
    }
    // The same attempts with a key that may leave show what they would do.
    const ecdsa = { name: "ECDSA", namedCurve: "P-256" };
    const loose = await attempts((await crypto.subtle.generateKey(ecdsa, true, ["sign"])).privateKey);
    const given = Object.keys(loose).filter((attempt) => loose[attempt] === "given away");
    is(given.join(), "export pkcs8,wrap pkcs8,export jwk,wrap jwk");
  },

  async "a key would be seen wherever it hides"() {
    const hidden = (await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"])).privateKey;
    class Getter {
      get key() {
        return hidden;
      }
    }
    const events = [new CustomEvent("status", { detail: { key: hidden } }), new MessageEvent("message", { data: [hidden] })];
    const error = Object.assign(new Error(), { cause: new Map([["key", new Set([hidden])]]) });
    for (const place of [hidden, ...events, error, new Getter(), { [Symbol()]: { then: { it: hidden } } }]) {
      expect(reachesKey(place), `not in ${place}`);
    }
    const innocent = [{ hidden: await crypto.subtle.digest("SHA-256", new Uint8Array(1)) }, new Event("x"), new Error("x")];
    for (const place of innocent) expect(!reachesKey(place), `in ${place}`);
  },

  async "the page's session is found"() {
    const { thumbprint } = await open();
    expect(/^[A-Za-z0-9_-]{43}$/.test(thumbprint), thumbprint);
    // The second is an origin, and no browser spells it so.
    for (const origin of ["nowhere", "https://console.example:443"]) await rejects(() => open({ origin }), "wrong_origin");
  },

  async "fetch proves itself, with a nonce that it had to learn"() {
    const client = await open();
    const response = await client.fetch("/v1/me");
    is(response.status, 200);
    expect((await response.json()).account.name.length > 0, "no account");
    is((await client.fetch(new Request("/v1/activity?limit=1"))).status, 200);
  },

  async "fetch sends bodies and the CSRF token"() {
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify({ id: "con_0000-0000-0000-0000" }) };
    const client = await open();
    const text = await client.fetch("/v1/connections/end", init);
    is((await text.json()).code, "not_found");
    const request = await (await open()).fetch(new Request("/v1/connections/end", init));
    is((await request.json()).code, "not_found");
  },

  async "an address is proven as the browser spells it"() {
    const client = await open();
    for (const name of ["it's", "a[1]", "a|b", "a b", "\u00e4", "{a}", "a%2Fb", "a?b=it's[1]|^`"]) {
      const response = await client.fetch(`/v1/agents/pairings/${name}`);
      is(`${name} ${response.status}`, `${name} 404`);
    }
  },

  async "fetch goes nowhere else"() {
    const client = await open();
    await rejects(() => client.fetch("https://example.org/v1/me"), "wrong_origin");
    await rejects(() => client.fetch("/theirs/elsewhere"), "TypeError");
    await rejects(() => client.fetch("/v1/me", { signal: AbortSignal.abort() }), "AbortError");
  },

  async "a socket is a WebSocket"() {
    const client = await open();
    const socket = client.connect("/v1/streams/activity", ["holdfast.activity.1"]);
    expect(socket instanceof PopSocket && socket instanceof EventTarget, "no class");
    is(socket.readyState, PopSocket.CONNECTING);
    is(socket.url, `${location.origin.replace("http", "ws")}/v1/streams/activity`);
    is(socket.binaryType, "blob");
    await rejects(() => socket.send("early"), "InvalidStateError");
    let opened = 0;
    socket.onopen = () => (opened += 1);
    const first = event(socket, "message");
    await event(socket, "open");
    is(socket.readyState, socket.OPEN);
    is(socket.protocol, "holdfast.activity.1");
    is(socket.bufferedAmount, 0);
    const { data, origin } = await first;
    expect(JSON.parse(data).connections.connections.length > 0, data);
    is(origin, location.origin.replace("http", "ws"));
    is(opened, 1);
    await rejects(() => socket.close(1001), "InvalidAccessError");
    const closed = event(socket, "close");
    socket.close(4000, "enough");
    is(socket.readyState, PopSocket.CLOSING);
    const { code, reason, wasClean } = await closed;
    is(`${code} ${reason} ${wasClean}`, "4000 enough true");
    is(socket.readyState, PopSocket.CLOSED);
    socket.send("late");
  },

  async "a stream is an EventSource"() {
    const client = await open();
    const stream = client.stream(new URL("/v1/streams/activity", location.href));
    expect(stream instanceof PopEventSource && stream instanceof EventTarget, "no class");
    is(stream.readyState, PopEventSource.CONNECTING);
    const listed = event(stream, "connections");
    const beat = new Promise((done) => {
      stream.onstate = ({ detail }) => detail.state === "open" && done(detail.rttMs);
    });
    await event(stream, "open");
    is(stream.readyState, stream.OPEN);
    const { data, lastEventId, origin } = await listed;
    expect(JSON.parse(data).connections.length > 0, data);
    is(`${typeof lastEventId} ${origin}`, `string ${location.origin}`);
    expect((await beat) >= 0, "no round trip");
    stream.onerror = () => {
      throw new Error("close is no error");
    };
    stream.close();
    is(stream.readyState, PopEventSource.CLOSED);
  },

  async "eight streams at once are one connection"() {
    const clients = await Promise.all(Array.from({ length: 8 }, () => open()));
    const streams = clients.map((client) => client.stream("/v1/streams/activity"));
    await Promise.all(streams.map((stream) => event(stream, "open")));
    // While they are open, requests still find a connection.
    const client = clients.at(-1);
    const { connections } = await (await client.fetch("/v1/connections")).json();
    is(connections.length, 1);
    // Any proven answer changes the list of connections; a second connection does, too.
    const told = streams.map((stream) => event(stream, "connections"));
    const socket = client.connect("/v1/streams/activity", "holdfast.activity.1");
    await Promise.all(told);
    socket.close();
    for (const stream of streams) stream.close();
  },

  async "without an EventSource there are no streams"() {
    const client = await open();
    const { EventSource } = globalThis;
    globalThis.EventSource = undefined;
    await rejects(() => client.stream("/v1/streams/activity"), "not_supported");
    globalThis.EventSource = EventSource;
  },

  async "nothing else is dialled"() {
    const client = await open();
    await rejects(() => client.connect("wss://example.org/v1/streams/activity"), "wrong_origin");
    await rejects(() => client.stream("//example.org/v1/streams/activity"), "wrong_origin");
    // What a WebSocket refuses to offer is never tried again.
    is((await event(client.connect("/v1/streams/activity", ["twice", "twice"]), "close")).code, 4400);
  },

  ...Object.fromEntries(Object.entries(TRAFFIC).map(([name, check]) => [name, () => check(open, ceremony.kept === "stored")])),

  async "signing out ends it all, and every client is told"() {
    const [client, other] = [await open(), await open()];
    const socket = client.connect("/v1/streams/activity", "holdfast.activity.1");
    await event(socket, "open");
    const [closed, told] = [event(socket, "close"), event(other, "status")];
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ scope: "this_browser" });
    is((await client.fetch("/v1/logout", { method: "POST", headers, body })).status, 204);
    is((await closed).code, 4403);
    await client.destroy();
    is((await told).detail, "signed-out");
    is(client.thumbprint, undefined);
    await rejects(() => client.fetch("/v1/me"), "no_key");
  },
};

export const unloaded = () => Object.keys(UNLOADED);
export const signedIn = () => Object.keys(SIGNED_IN);

/** Begins the ceremony that makes the account, with a key of this very place. Gives the server's options. */
export async function begin(setupToken) {
  await init();
  const client = await PopClient.open(CSRF[place]());
  const key = await client.makeKey();
  const headers = { "content-type": "application/json", "X-Setup-Token": setupToken };
  const body = JSON.stringify({ name: "Mara", email: "mara@example.org", jkt: key.thumbprint });
  const response = await fetch("/v1/setup/options", { method: "POST", headers, body });
  is(response.status, 200);
  client.noteNonce(response.headers.get("DPoP-Nonce"));
  const options = await response.json();
  ceremony = { client, key, headers, options };
  return options;
}

/** Ends it with what an authenticator has answered: the key is the session's from now on. Gives its place. */
export async function finish(credential) {
  const { client, key, headers, options } = ceremony;
  const made = key.thumbprint;
  const body = JSON.stringify({ ceremony: options.ceremony, token: options.token, credential });
  const DPoP = await key.proof("POST", "/v1/setup/verify");
  const response = await fetch("/v1/setup/verify", { method: "POST", headers: { ...headers, DPoP }, body });
  is(response.status, 200);
  ceremony.kept = await client.adopt(key);
  is(client.thumbprint, made);
  return ceremony.kept;
}

/** The key that is there without any ceremony here, and what the server says to it. */
export async function found() {
  await init();
  const client = await PopClient.open(CSRF[place]());
  const { thumbprint } = client;
  return thumbprint ? [thumbprint, (await client.fetch("/v1/me")).status] : [];
}

/** Runs one check. Gives "ok" or what went wrong, and how much was seen: no key can be reached from it. */
export async function run(name) {
  const check = { ...UNLOADED, ...SIGNED_IN }[name];
  const late = new Promise((_, failed) => setTimeout(failed, 20_000, new Error("it does not come to an end")));
  const result = await Promise.race([check(), late]).then(() => "ok", (error) => `${error.name}: ${error.message}`);
  const looked = seen.splice(0);
  const leaks = reachesKey(looked) ? looked.filter(reachesKey) : [];
  return { result: leaks.length > 0 ? `a key can be reached from ${leaks}` : result, looked: looked.length };
}
