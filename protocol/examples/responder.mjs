// A prover of pop.md without any of Holdfast's code, for Node 18 or newer.
//
//   node responder.mjs check VECTORS      holds it against protocol/vectors/pop.json
//   node responder.mjs live < session     opens the WebSocket of a session and keeps it alive
//
// A session is {"origin", "address", "cookies", "csrf", "stream", "protocol", "jwk"}; `jwk` holds the
// private key, which only an example can know. What the server says comes out, a line each.
import { webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:http";

const { subtle } = webcrypto;
const ECDSA = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const bytes = (text) => new TextEncoder().encode(text);
const base64url = (data) => Buffer.from(data).toString("base64url");
const random = (length) => base64url(webcrypto.getRandomValues(new Uint8Array(length)));

export async function thumbprint({ x, y }) {
  return base64url(await subtle.digest("SHA-256", bytes(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`)));
}

const number = (most) => (word) => /^(0|[1-9]\d{0,15})$/.test(word) && Number(word) <= most;
const sequence = number(2 ** 53 - 1);
const oneOf = (...words) => (word) => words.includes(word);
const GRAMMAR = {
  challenge: [
    (word) => /^con_[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}$/.test(word),
    sequence,
    (word) => /^[!-~]{1,128}$/.test(word),
    sequence,
  ],
  // 64 bytes: the last of 86 symbols has four bits that belong to no byte, and they are zero.
  answer: [sequence, (word) => /^[A-Za-z0-9_-]{85}[AQgw]$/.test(word)],
  refuse: [sequence, oneOf("relayed", "stale", "no-key")],
  ask: [],
  proven: [sequence, number(2 ** 32 - 1)],
  held: [sequence, oneOf("late", "wrong", "relayed", "stale", "no-key")],
  end: [number(2 ** 16 - 1)],
};

/** The words of a control message, or null. */
export function parse(text) {
  const [name, ...words] = text.split(" ");
  const grammar = Object.hasOwn(GRAMMAR, name) && text.length <= 256 ? GRAMMAR[name] : undefined;
  const fits = grammar?.length === words.length && grammar.every((holds, at) => holds(words[at]));
  return fits ? [name, ...words] : null;
}

export function transcript({ origin, connection, clientNonce, jkt }, [, , number, nonce, expiry]) {
  return ["holdfast-pop/1", origin, connection, clientNonce, number, nonce, expiry, jkt].join("\n");
}

/** Answers the challenges of one connection: its own, and each number once. */
export function prover(binding, privateKey) {
  let last = 0;
  return async (challenge) => {
    const [, connection, number] = challenge;
    if (connection !== binding.connection) return `refuse ${number} relayed`;
    if (Number(number) <= last) return `refuse ${number} stale`;
    last = Number(number);
    const signature = await subtle.sign(ECDSA, privateKey, bytes(transcript(binding, challenge)));
    return `answer ${number} ${base64url(signature)}`;
  };
}

/** Whether a proven connection that ends so is over for good. */
export function isOver(code) {
  const applications = [1000, 1002, 1003, 1007, 1008, 1009, 1010].includes(code) || (code >= 3000 && code <= 4999);
  return code >= 4400 && code <= 4499 ? [4400, 4403, 4404].includes(code) : applications;
}

async function check(file) {
  const { about, transcripts, messages, not_messages, ...unknown } = JSON.parse(readFileSync(file));
  const nothing = (rest) => expect(Object.keys(rest).length === 0, `unknown: ${Object.keys(rest)}`);
  const expect = (held, what) => {
    if (!held) throw new Error(what);
  };
  nothing(unknown);
  expect(typeof about === "string" && transcripts.length > 0, "no vectors");
  for (const { origin, client_nonce, challenge, jwk_x, jwk_y, ...expected } of transcripts) {
    const { thumbprint: jkt, transcript: text, signature, verifies, ...rest } = expected;
    nothing(rest);
    expect((await thumbprint({ x: jwk_x, y: jwk_y })) === jkt, `thumbprint ${jkt}`);
    const words = parse(challenge);
    expect(transcript({ origin, connection: words[1], clientNonce: client_nonce, jkt }, words) === text, text);
    const jwk = { kty: "EC", crv: "P-256", x: jwk_x, y: jwk_y };
    const key = await subtle.importKey("jwk", jwk, ECDSA, false, ["verify"]);
    const right = await subtle.verify(ECDSA, key, Buffer.from(signature, "base64url"), bytes(text));
    expect(right === verifies, `signature ${signature}`);
  }
  for (const { text, ...rest } of messages) nothing(rest), expect(parse(text)?.join(" ") === text, text);
  for (const { text, why, ...rest } of not_messages) nothing(rest), expect(parse(text) === null, why);
}

async function live(session) {
  const { jwk, origin, cookies, csrf, stream } = session;
  const privateKey = await subtle.importKey("jwk", { kty: "EC", crv: "P-256", ...jwk }, ECDSA, false, ["sign"]);
  const host = session.address ?? new URL(origin).host;
  const clientNonce = random(32);
  let dpopNonce;
  const mint = async () => {
    const path = "/v1/connections/tickets";
    const header = { typ: "dpop+jwt", alg: "ES256", jwk: { kty: "EC", crv: "P-256", x: jwk.x, y: jwk.y } };
    const iat = Math.floor(Date.now() / 1000);
    const claims = { jti: random(18), htm: "POST", htu: origin + path, iat, nonce: dpopNonce };
    const input = [header, claims].map((part) => base64url(JSON.stringify(part))).join(".");
    const proof = `${input}.${base64url(await subtle.sign(ECDSA, privateKey, bytes(input)))}`;
    const headers = { origin, cookie: cookies, "x-csrf-token": csrf, "content-type": "application/json", dpop: proof };
    const body = JSON.stringify({ stream, client_nonce: clientNonce });
    const answer = await fetch(`http://${host}${path}`, { method: "POST", headers, body });
    const known = dpopNonce;
    dpopNonce = answer.headers.get("dpop-nonce") ?? dpopNonce;
    // The first proof has no nonce of the server yet: it is made once more, with the one that came.
    if (answer.status === 401 && known === undefined) return mint();
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const { connection, ticket } = await mint();
  const binding = { origin, connection, clientNonce, jkt: await thumbprint(jwk) };
  const answer = prover(binding, privateKey);
  const socket = await open(host, `${stream}?ticket=${ticket}`, {
    origin,
    cookie: cookies,
    "sec-websocket-protocol": `holdfast.pop.1, ${session.protocol}`,
  });
  for await (const text of socket.texts()) {
    if (!text.startsWith("\u0001")) continue;
    const words = parse(text.slice(1));
    console.log(words?.join(" ") ?? "no message");
    if (words?.[0] === "challenge") socket.send(`\u0001${await answer(words)}`);
  }
}

/** As much of RFC 6455 as this needs: short text frames, pings, the end. */
function open(host, path, headers) {
  const upgrade = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" };
  upgrade["sec-websocket-key"] = Buffer.from(random(16), "base64url").toString("base64");
  return new Promise((done, failed) => {
    const asked = request(`http://${host}${path}`, { headers: { ...headers, ...upgrade } });
    asked.on("error", failed);
    asked.on("response", (response) => failed(new Error(`no upgrade: ${response.statusCode}`)));
    asked.on("upgrade", (_, wire, head) => {
      const frame = (kind, data) => {
        const length = data.length < 126 ? [0x80 | data.length] : [0xfe, data.length >> 8, data.length & 255];
        wire.write(Buffer.concat([Buffer.from([0x80 | kind, ...length, 0, 0, 0, 0]), data]));
      };
      async function* texts() {
        let read = Buffer.alloc(0);
        wire.unshift(head);
        for await (const chunk of wire) {
          read = Buffer.concat([read, chunk]);
          for (;;) {
            const short = read[1] & 127;
            const start = short < 126 ? 2 : short === 126 ? 4 : 10;
            if (read.length < start) break;
            const length = short < 126 ? short : short === 126 ? read.readUInt16BE(2) : read.readUInt32BE(6);
            if (read.length < start + length) break;
            const data = read.subarray(start, start + length);
            const kind = read[0] & 15;
            read = read.subarray(start + length);
            if (kind === 1) yield data.toString();
            if (kind === 9) frame(10, data);
            if (kind !== 8) continue;
            const code = length > 1 ? data.readUInt16BE(0) : 1005;
            console.log(`closed ${code}${isOver(code) ? " for good" : ""}`);
            return frame(8, data.subarray(0, 2)), wire.end();
          }
        }
      }
      done({ send: (text) => frame(1, Buffer.from(text)), texts });
    });
    asked.end();
  });
}

const [, , command, file] = process.argv;
if (command === "check") await check(file);
if (command === "live") await live(JSON.parse(readFileSync(0, "utf8")));
