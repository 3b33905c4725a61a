// Measures in the page's main thread. Every measured thing begins inside a message event, as a
// challenge does, and ends when its result is there. A challenge comes over the network to a browser
// that has nothing to do, where the same signature takes longer than in a loop: it is measured
// against signatures asked for in just that way, a proof against signatures in a loop, as proofs are.
import init, { PopClient } from "/pop/holdfast_pop.js";
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

const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];

/** Runs `work` in a fresh message event each time. */
async function inMessageEvents(count, work) {
  const { port1, port2 } = new MessageChannel();
  const times = [];
  for (let at = 0; at < count; at++) {
    times.push(await new Promise((done, failed) => {
      port1.onmessage = () => {
        const start = performance.now();
        work().then(() => done(performance.now() - start), failed);
      };
      port2.postMessage(0);
    }));
  }
  port1.close();
  return median(times);
}

/** Runs `work` for each frame of a plain WebSocket. */
async function inFrames(count, work) {
  const socket = new Native(`${location.origin.replace("http", "ws")}/frames`);
  await new Promise((done, failed) => Object.assign(socket, { onopen: done, onerror: failed }));
  const times = [];
  for (let at = 0; at < count; at++) {
    times.push(await new Promise((done, failed) => {
      socket.onmessage = () => {
        const start = performance.now();
        work().then(() => done(performance.now() - start), failed);
      };
      socket.send("");
    }));
    await rest();
  }
  socket.close();
  return median(times);
}

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
  await new Promise((done) => connection.onState(({ state }) => state === "open" && done()));
  const challenges = async (count) => {
    const times = [];
    for (let at = 0; at < count; at++) {
      times.push(await new Promise((done) => {
        answered = done;
        connection.send("challenge me");
      }));
      await rest();
    }
    return median(times);
  };
  const url = `${location.origin}/v1/connections/tickets`;
  const sign = () => crypto.subtle.sign(algorithm, key, transcript);
  return {
    round: async (count) => ({
      signInFrame: await inFrames(count, sign),
      challenge: await challenges(count),
      sign: await inMessageEvents(3 * count, sign),
      proof: await inMessageEvents(3 * count, () => client.proof("POST", "/v1/connections/tickets")),
      npm: await inMessageEvents(3 * count, () => generateProof(pair, url, "POST", "bench")),
    }),
  };
}
