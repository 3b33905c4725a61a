// Measures in the page's main thread. Every measured thing begins inside a message event, as a
// challenge does, and ends when its result is there. A challenge comes over the network to a browser
// that has nothing to do, where the same signature takes longer than in a loop: it is measured
// against signatures asked for in just that way, a proof against signatures in a loop, as proofs are.
import { init, PopClient } from "/pop/index.mjs";
import { generateKeyPair, generateProof } from "/dpop/index.js";

const Native = globalThis.WebSocket;
let began = 0;
let answered = () => {};

globalThis.WebSocket = class extends Native {
  constructor(...args) {
    super(...args);
    // The first listener of all, so that the module's own work is inside the measurement.
    this.addEventListener("message", ({ data }) => {
      if (typeof data === "string" && data.startsWith("\u0001challenge")) began = performance.now();
    });
  }
  send(data) {
    if (typeof data === "string" && data.startsWith("\u0001answer")) answered(performance.now() - began);
    super.send(data);
  }
};

/** Long enough for the browser to come to rest: challenges come alone, seconds apart. */
const rest = () => new Promise((done) => setTimeout(done, 5));

/** The mean of the middle half: the clock goes in steps of 5 µs, and a median would, too. */
const middle = (times) => {
  const half = times.sort((a, b) => a - b).slice(times.length >> 2, -(times.length >> 2));
  return half.reduce((sum, time) => sum + time, 0) / half.length;
};

/** Each of these once, and again, so that all of them see the same weather. */
async function inTurn(count, measured) {
  const names = Object.keys(measured);
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (let at = 0; at < count; at++) {
    for (const name of names) times[name].push(await measured[name]());
  }
  return Object.fromEntries(names.map((name) => [name, middle(times[name])]));
}

/**
 * How long `work` takes in a fresh event, which `ask` makes come to `target`. The clock is read in a
 * listener of its own, as it is for the module.
 */
const inEvent = (target, ask, work) => {
  let start = 0;
  let finish;
  target.addEventListener("message", () => {
    start = performance.now();
  });
  target.addEventListener("message", () => finish());
  return () =>
    new Promise((done, failed) => {
      finish = () => work().then(() => done(performance.now() - start), failed);
      ask();
    });
};

const rested = (measure) => async () => {
  await rest();
  return measure();
};

/** The module's own key: a handle that signs and cannot be read. */
async function storedKey() {
  const db = await new Promise((done, failed) => {
    const request = indexedDB.open("holdfast-pop");
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
  const record = await new Promise((done, failed) => {
    const request = db.transaction("keys").objectStore("keys").get("current");
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
  db.close();
  return Object.values(record).find((value) => value instanceof CryptoKey);
}

export async function ready() {
  await init();
  document.cookie = "csrf=bench; SameSite=Strict; Path=/";
  const client = await PopClient.open(location.origin);
  await client.adopt(await client.makeKey());
  client.noteNonce("bench");
  const key = await storedKey();
  const pair = await generateKeyPair("ES256", { extractable: false });
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  const transcript = new Uint8Array(300).fill(97);

  const connection = client.connect("/v1/streams/bench");
  await new Promise((done) => connection.addEventListener("open", done));
  const challenge = () =>
    new Promise((done) => {
      answered = done;
      connection.send("challenge me");
    });
  const frames = new Native(`${location.origin.replace("http", "ws")}/frames`);
  await new Promise((done, failed) => Object.assign(frames, { onopen: done, onerror: failed }));
  const url = `${location.origin}/v1/connections/tickets`;
  const sign = () => crypto.subtle.sign(algorithm, key, transcript);
  const inMessage = (work) => {
    const { port1, port2 } = new MessageChannel();
    port1.start();
    return inEvent(port1, () => port2.postMessage(0), work);
  };
  const alone = {
    signInFrame: rested(inEvent(frames, () => frames.send(""), sign)),
    challenge: rested(challenge),
  };
  const inARow = {
    sign: inMessage(sign),
    proof: inMessage(() => client.proof("POST", "/v1/connections/tickets")),
    npm: inMessage(() => generateProof(pair, url, "POST", "bench")),
  };
  return {
    round: async (count) => ({ ...(await inTurn(count, alone)), ...(await inTurn(3 * count, inARow)) }),
  };
}
