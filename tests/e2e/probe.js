// A connection of a script's own, over WebSocket, proven by hand with this browser's stored key
// (protocol/pop.md). The first challenge is answered rightly; how the later ones are, is the argument:
// "right"; "foreign": with another key; "late": only once they are held against it; "relayed": as if they
// were another connection's, which is open and honest. What comes is kept as text in `probe`.
const [manner] = arguments;

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const bytes = (text) => new TextEncoder().encode(text);
const algorithm = { name: "ECDSA", hash: "SHA-256" };

const opened = indexedDB.open("holdfast-pop");
await new Promise((done) => (opened.onsuccess = done));
const found = opened.result.transaction("keys").objectStore("keys").get("current");
await new Promise((done) => (found.onsuccess = done));
opened.result.close();
const key = found.result;
const other = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);

const ticket = async () => {
  const clientNonce = base64url(crypto.getRandomValues(new Uint8Array(32)));
  const path = "/v1/connections/tickets";
  const claims = {
    jti: crypto.randomUUID(),
    htm: "POST",
    htu: location.origin + path,
    iat: Math.floor(Date.now() / 1000),
    nonce: (await fetch("/v1/setup")).headers.get("DPoP-Nonce"),
  };
  const head = { typ: "dpop+jwt", alg: "ES256", jwk: { crv: "P-256", kty: "EC", x: key.x, y: key.y } };
  const input = [head, claims].map((part) => base64url(bytes(JSON.stringify(part)))).join(".");
  const signature = base64url(await crypto.subtle.sign(algorithm, key.privateKey, bytes(input)));
  const response = await fetch(path, {
    method: "POST",
    headers: {
      DPoP: `${input}.${signature}`,
      "Content-Type": "application/json",
      "X-CSRF-Token": /(?:^|; )csrf=([^;]*)/.exec(document.cookie)[1],
    },
    body: JSON.stringify({ stream: "/v1/streams/activity", client_nonce: clientNonce }),
  });
  return { clientNonce, ...(await response.json()) };
};

const open = ({ ticket }) =>
  new WebSocket(`${location.origin.replace("http", "ws")}/v1/streams/activity?ticket=${ticket}`, [
    "holdfast.pop.1",
    "holdfast.activity.1",
  ]);

const answer = async (socket, binding, [sequence, nonce, expiry], signing) => {
  const lines = [
    "holdfast-pop/1",
    location.origin,
    binding.connection,
    binding.clientNonce,
    sequence,
    nonce,
    expiry,
    key.thumbprint,
  ];
  const signature = await crypto.subtle.sign(algorithm, signing, bytes(lines.join("\n")));
  socket.send(`\u0001answer ${sequence} ${base64url(signature)}`);
};

const own = await ticket();
let relay = null;
if (manner === "relayed") {
  relay = await ticket();
  const honest = open(relay);
  honest.onmessage = ({ data }) => {
    const [word, , ...challenge] = data.slice(1).split(" ");
    if (data[0] === "\u0001" && word === "challenge") answer(honest, relay, challenge, key.privateKey);
  };
}

const frames = [];
const tell = (code) => (window.probe = JSON.stringify({ connection: own.connection, frames, code }));
tell(null);
const socket = open(own);
let late = null;
socket.onmessage = ({ data }) => {
  frames.push(data);
  tell(null);
  if (data[0] !== "\u0001") return;
  const [word, ...rest] = data.slice(1).split(" ");
  if (word === "held" && late) answer(socket, own, late, key.privateKey);
  if (word !== "challenge") return;
  const challenge = rest.slice(1);
  if (challenge[0] === "1" || manner === "right") answer(socket, own, challenge, key.privateKey);
  else if (manner === "foreign") answer(socket, own, challenge, other.privateKey);
  else if (manner === "relayed") answer(socket, relay, challenge, key.privateKey);
  else late = challenge;
};
socket.onclose = ({ code }) => tell(code);
