// What an integrator relies on, checked in their page, one after another.
import * as pop from "/theirs/pop/index.mjs";

const { init, PopClient, PopError, PopSocket, PopEventSource } = pop;

function expect(held, what) {
  if (!held) throw new Error(what);
}

const is = (found, wanted) => expect(Object.is(found, wanted), `${String(found)} is not ${String(wanted)}`);

async function rejects(work, name) {
  const error = await Promise.resolve().then(work).then(() => undefined, (error) => error);
  expect(error !== undefined, `it does not throw ${name}`);
  expect((error.code === name && error instanceof PopError) || error.name === name, `${error} is not ${name}`);
}

/** The next event of this type; it fails where none comes. */
const event = (target, type) =>
  new Promise((done, failed) => {
    const late = setTimeout(() => failed(new Error(`no ${type}`)), 15_000);
    target.addEventListener(type, (event) => (clearTimeout(late), done(event)), { once: true });
  });

const own = (of) => Object.getOwnPropertyNames(of.prototype).filter((name) => name !== "constructor").sort().join(" ");

const CHECKS = {
  async "a client before init says what to do"() {
    await rejects(() => PopClient.open(), "not_loaded");
  },

  async "init is idempotent"() {
    is(init(), init());
    await init();
    await init();
  },

  async "what is exported is known, and nothing signs what somebody hands it"() {
    is(Object.keys(pop).sort().join(" "), "NewKey PopClient PopError PopEventSource PopSocket init");
    is(own(pop.NewKey), "proof thumbprint");
    is(own(PopClient), "adopt connect destroy fetch makeKey noteNonce onstatus proof refreshKey stream thumbprint");
    const client = await PopClient.open();
    is(Object.keys(client).join(), "");
    await rejects(() => new PopClient(), "TypeError");
    await rejects(() => client.proof("POST /", "/v1/me"), "bad_argument");
  },

  async "the page's session is found"() {
    const { thumbprint } = await PopClient.open();
    expect(/^[A-Za-z0-9_-]{43}$/.test(thumbprint), thumbprint);
    await rejects(() => PopClient.open({ origin: "nowhere" }), "wrong_origin");
  },

  async "fetch proves itself, with a nonce that it had to learn"() {
    const client = await PopClient.open();
    const response = await client.fetch("/v1/me");
    is(response.status, 200);
    expect((await response.json()).account.name.length > 0, "no account");
    is((await client.fetch(new Request("/v1/activity?limit=1"))).status, 200);
  },

  async "fetch sends bodies and the CSRF token"() {
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify({ id: "con_0000-0000-0000-0000" }) };
    const client = await PopClient.open();
    const text = await client.fetch("/v1/connections/end", init);
    is((await text.json()).code, "not_found");
    const request = await (await PopClient.open()).fetch(new Request("/v1/connections/end", init));
    is((await request.json()).code, "not_found");
  },

  async "fetch goes nowhere else"() {
    const client = await PopClient.open();
    await rejects(() => client.fetch("https://example.org/v1/me"), "wrong_origin");
    await rejects(() => client.fetch("/theirs/elsewhere"), "TypeError");
    await rejects(() => client.fetch("/v1/me", { signal: AbortSignal.abort() }), "AbortError");
  },

  async "a socket is a WebSocket"() {
    const client = await PopClient.open();
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
    const client = await PopClient.open();
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
    const clients = await Promise.all(Array.from({ length: 8 }, () => PopClient.open()));
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

  async "nothing else is dialled"() {
    const client = await PopClient.open();
    await rejects(() => client.connect("wss://example.org/v1/streams/activity"), "wrong_origin");
    await rejects(() => client.stream("//example.org/v1/streams/activity"), "wrong_origin");
  },

  async "signing out ends it all, and every client is told"() {
    const [client, other] = [await PopClient.open(), await PopClient.open()];
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

export const names = Object.keys(CHECKS);

/** "ok", or what went wrong. */
export function run(name) {
  const late = new Promise((_, failed) => setTimeout(failed, 20_000, new Error("it does not come to an end")));
  return Promise.race([CHECKS[name](), late]).then(() => "ok", (error) => `${error.name}: ${error.message}`);
}
