// What flows between an integrator's page and their server: messages, last words, and bodies of requests.
import { event, expect, is, until } from "/theirs/checks.mjs";

const rejects = async (work, name) => is(await work.then(() => "", (error) => error.name), name);

/** A proven connection to their echo. */
async function echo(client) {
  const socket = client.connect("/theirs/echo");
  await event(socket, "open");
  return socket;
}

/** Gives `work` a look at the browser's own connection of this kind that was dialled last. */
async function dialling(kind, work) {
  const real = globalThis[kind];
  let wire;
  globalThis[kind] = class extends real {
    constructor(...given) {
      super(...given);
      wire = this;
    }
  };
  try {
    return await work(() => wire);
  } finally {
    globalThis[kind] = real;
  }
}

/** A proven connection, and what says something in the server's place. */
async function overheard(client) {
  return dialling("WebSocket", async (wire) => {
    const [socket, own] = [await echo(client), wire()];
    return [socket, (message) => own.dispatchEvent(new MessageEvent("message", { data: `\u0001${message}` }))];
  });
}

/** Closes it with a word that nobody can hear. */
async function closesUnheard(socket) {
  const ends = [];
  socket.onerror = () => ends.push("error");
  const closed = event(socket, "close");
  socket.close(4001, "saved");
  const { code, reason, wasClean } = await closed;
  is(`${ends} ${code} ${reason} ${wasClean}`, "error 1006 closed false");
}

const farewells = async () => (await fetch("/theirs/farewells")).text();

/** Answers in place of the server, one after another, and gives what it was sent. */
async function answering(answers, work) {
  const { fetch } = globalThis;
  const sent = [];
  globalThis.fetch = async (request) => {
    sent.push({ proof: request.headers.get("DPoP"), body: await request.text() });
    return answers.shift();
  };
  try {
    await work();
  } finally {
    globalThis.fetch = fetch;
  }
  return sent;
}

const stale = () => {
  const headers = { "DPoP-Nonce": "fresh", "WWW-Authenticate": 'DPoP error="use_dpop_nonce", algs="ES256"' };
  return Response.json({ code: "use_dpop_nonce" }, { status: 401, headers });
};
const done = () => new Response("done");

const once = () =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode("once"));
      controller.close();
    },
  });
const streamed = () => ({ method: "POST", body: once(), duplex: "half" });

/** Not every browser sends streams; what does not makes text of them, or throws. */
function sendsStreams() {
  try {
    return !new Request(location.origin, streamed()).headers.has("Content-Type");
  } catch {
    return false;
  }
}

/** Each with a function that opens a client. */
export const TRAFFIC = {
  async "how a page closes is its server's application to hear, behind what was said"(open) {
    const socket = await echo(await open());
    for (const code of [1001, 2999, 4400, 4403, 4499, 5000]) {
      const thrown = await Promise.resolve().then(() => socket.close(code)).catch(({ name }) => name);
      is(thrown, "InvalidAccessError");
    }
    // Bytes are measured as the text that they would be sent as.
    for (const reason of ["ä".repeat(62), new Uint8Array(100)]) {
      const thrown = await Promise.resolve().then(() => socket.close(4000, reason)).catch(({ name }) => name);
      is(thrown, "SyntaxError");
    }
    const name = crypto.randomUUID();
    const closed = event(socket, "close");
    socket.send(new Blob([name]));
    socket.close(4001, "enough");
    is(socket.readyState, socket.CLOSING);
    const { code, reason, wasClean } = await closed;
    is(`${code} ${reason} ${wasClean}`, "4001 enough true");
    await until(async () => (await farewells()).split("\n").includes(`4001 enough ${name}`));

    const other = await echo(await open());
    other.send(name);
    await event(other, "message");
    other.close();
    await until(async () => (await farewells()).split("\n").includes(`1000  ${name}`));
  },

  async "no last word where something before it was held back"(open) {
    const name = crypto.randomUUID();
    const socket = await echo(await open());
    socket.send(name);
    await event(socket, "message");
    const ends = [];
    socket.onerror = () => ends.push("error");
    const closed = event(socket, "close");
    // Whatever wakes the page, the connection is unproven for one round trip.
    dispatchEvent(new Event("online"));
    socket.send("unsaved");
    socket.close(4001, "saved");
    const { code, wasClean } = await closed;
    is(`${ends} ${code} ${wasClean}`, "error 1006 false");
    const heard = await until(async () => (await farewells()).split("\n").find((line) => line.endsWith(` ${name}`)));
    is(heard, ` ${name}`);
  },

  async "no last word where nobody hears it"(open) {
    const client = await open();
    // Before there is a ticket.
    await closesUnheard(client.connect("/theirs/echo"));
    const lost = await echo(client);
    const waits = event(lost, "state", ({ detail }) => detail.state === "waiting");
    lost.send("close 1011 again");
    await waits;
    await closesUnheard(lost);
    const [held, say] = await overheard(client);
    say("held 1 late");
    await closesUnheard(held);
  },

  async "a Blob that is too large to be held back is an error, and bars the last word"(open) {
    const [socket, say] = await overheard(await open());
    say("held 1 late");
    const failed = event(socket, "error");
    socket.send(new Blob([new Uint8Array(70_000)]));
    await failed;
    is(socket.readyState, socket.OPEN);
    socket.send("after");
    const after = event(socket, "message");
    say("proven 1 7");
    is((await after).data, "after");
    await closesUnheard(socket);
  },

  async "a stream that is held is as open as it was"(open) {
    const client = await open();
    const told = [];
    await dialling("EventSource", async (wire) => {
      const hold = () => wire().dispatchEvent(new MessageEvent("pop", { data: "held 1 late" }));
      const stream = client.stream("/theirs/ticks?held");
      stream.onopen = () => told.push("it opens");
      stream.onerror = () => told.push("it is lost");
      stream.onstate = ({ detail: { state } }) => {
        told.push(state);
        if (state === "proving") hold();
      };
      await event(stream, "open");
      hold();
      is(told.slice(told.indexOf("proving")).join(), "proving,held,open,it opens,held");
      is(stream.readyState, stream.OPEN);
      stream.close();
    });
  },

  async "how the application closes is the page's to hear, and final"(open) {
    const client = await open();
    for (const [said, code, reason] of [
      ["leave", 1000, ""],
      ["close 1000 done", 1000, "done"],
      ["close 1008 not this", 1008, "not this"],
      ["close 3000 ", 3000, ""],
      ["close 4999 full", 4999, "full"],
    ]) {
      const socket = await echo(client);
      const states = [];
      socket.onstate = ({ detail }) => states.push(`${detail.state} ${detail.why ?? ""}`);
      socket.onerror = () => states.push("error");
      socket.send(said);
      const closed = await event(socket, "close");
      is(`${closed.code} ${closed.reason} ${closed.wasClean}`, `${code} ${reason} true`);
      is(states.join(), "ended ended_by_application");
      is(socket.readyState, socket.CLOSED);
    }
  },

  async "an application that says the protocol's words, or fails, is come back to"(open) {
    const socket = await echo(await open());
    for (const said of ["close 4403 sign in", "close 1011 again", "close 1012 "]) {
      const back = event(socket, "state", ({ detail }) => detail.state === "open");
      const waits = event(socket, "state", ({ detail }) => detail.state === "waiting");
      socket.send(said);
      await waits;
      socket.retryNow();
      await back;
      is(socket.readyState, socket.OPEN);
    }
    socket.close();
  },

  async "messages are text or bytes, and keep their order"(open) {
    const socket = await echo(await open());
    const heard = [];
    socket.onmessage = ({ data }) => heard.push(data);
    const said = ["\u0001", "\u0001ask", "\u0001\u0001", ""];
    for (const text of said) socket.send(text);
    socket.send(new Blob(["blob"]));
    socket.send("behind a blob");
    socket.send(new Uint8Array([0, 1, 2]).subarray(1));
    await until(() => heard.length === 7);
    is(JSON.stringify(heard.slice(0, 4)), JSON.stringify(said));
    const [blob, text, bytes] = heard.slice(4);
    expect(blob instanceof Blob && bytes instanceof Blob, "a binary message is a Blob unless it is asked for otherwise");
    is(await blob.text(), "blob");
    is(text, "behind a blob");
    is(new Uint8Array(await bytes.arrayBuffer()).join(), "1,2");
    socket.binaryType = "arraybuffer";
    const next = event(socket, "message");
    socket.send(new Uint8Array([3]).buffer);
    const { data } = await next;
    expect(data instanceof ArrayBuffer, String(data));
    is(new Uint8Array(data).join(), "3");
    socket.close();
  },

  async "the id of an event arrives with it, and through the tab that leads"(open) {
    const streams = (await Promise.all([open(), open()])).map((client) => client.stream("/theirs/ticks"));
    const ticks = await Promise.all(streams.map((stream) => event(stream, "tick")));
    for (const { data, lastEventId } of ticks) {
      expect(/^\d+$/.test(data), data);
      is(lastEventId, data);
    }
    const { connections } = await (await (await open()).fetch("/v1/connections")).json();
    is(connections.filter(({ stream }) => stream === "/theirs/ticks").length, 1);
    for (const stream of streams) stream.close();
  },

  async "a body that can be read once is sent once, and any other again with another proof"(open) {
    const client = await open();
    if (sendsStreams()) {
      const makes = [() => ["/v1/me", streamed()], () => [new Request("/v1/me", streamed())]];
      // WebKitGTK does not tell what a Request is made of: it keeps what it has read, and sends that again.
      if (!navigator.userAgent.includes("Chrome/")) makes.pop();
      for (const make of makes) {
        let response;
        const sent = await answering([stale(), done()], async () => (response = await client.fetch(...make())));
        is(sent.map(({ body }) => body).join(), "once");
        is(response.status, 401);
        is((await response.json()).code, "use_dpop_nonce");
      }
    } else {
      expect(!navigator.userAgent.includes("Chrome/"), "Chromium sends streams");
    }
    for (const method of ["POST", "PUT"]) {
      const init = { method, body: "again", headers: { "content-type": "application/json" } };
      for (const make of [() => ["/v1/me", init], () => [new Request("/v1/me", init)]]) {
        let response;
        const sent = await answering([stale(), done()], async () => (response = await client.fetch(...make())));
        is(sent.map(({ body }) => body).join(), "again,again");
        is(new Set(sent.map(({ proof }) => proof)).size, 2);
        is(await response.text(), "done");
      }
    }
  },

  async "a nonce is asked for once"(open) {
    const client = await open();
    let response;
    const sent = await answering([stale(), stale(), done()], async () => (response = await client.fetch("/v1/me")));
    is(`${sent.length} ${response.status}`, "2 401");
  },

  async "a nonce is asked for in a header, which an answer to HEAD has as well"(open) {
    const client = await open();
    const answers = [new Response(null, { status: 401, headers: stale().headers }), done()];
    const sent = await answering(answers, () => client.fetch("/v1/me", { method: "HEAD" }));
    is(new Set(sent.map(({ proof }) => proof)).size, 2);
  },

  async "a signature that the browser refuses is an error of its own"(open) {
    const client = await open();
    const { sign } = SubtleCrypto.prototype;
    SubtleCrypto.prototype.sign = async () => {
      throw new DOMException("no", "OperationError");
    };
    const refused = await client.proof("GET", "/v1/me").catch((error) => error);
    SubtleCrypto.prototype.sign = sign;
    const sentence = "The browser could not use this session's key. Sign in again.";
    is(`${refused.name} ${refused.code} ${refused.message}`, `PopError key_refused ${sentence}`);
  },

  async "a request that fits no other mode is not one that can be sent once"(open) {
    const client = await open();
    const init = { mode: "same-origin", cache: "only-if-cached" };
    const sent = await answering([stale(), done()], () => client.fetch("/v1/me", init));
    is(sent.length, 2);
  },

  async "an address is spelled once"(open) {
    let times = 0;
    const turning = { toString: () => ((times += 1) === 1 ? "/v1/me" : "https://example.org/v1/me") };
    const response = await (await open()).fetch(turning);
    is(`${response.status} ${new URL(response.url).pathname} ${times}`, "200 /v1/me 1");
  },

  async "who aborts is let go at once, whatever is under way"(open, hasKey) {
    const abort = new AbortController();
    const client = await open();
    const real = globalThis.fetch;
    let sent = 0;
    await answering([], async () => {
      // On its way to the server.
      globalThis.fetch = (request) => ((sent += 1), abort.abort(), real(request));
      await rejects(client.fetch("/v1/me", { signal: abort.signal }), "AbortError");
    });
    is(sent, 1);
    if (!hasKey) return;
    const waits = new AbortController();
    let asked;
    const token = new Promise((given) => (asked = given));
    const waiting = await open({ csrf: () => new Promise(() => asked()) });
    const none = await answering([done()], async () => {
      const response = waiting.fetch("/v1/me", { method: "POST", signal: waits.signal });
      await token;
      waits.abort();
      await rejects(response, "AbortError");
    });
    is(none.length, 0);
  },
};
