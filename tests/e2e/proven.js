// A script that makes DPoP proofs (RFC 9449) by itself.
// arguments: whose key ("stored": this browser's, as any script in its page may use it; "fresh": one of the
// script's own; "planted": a fresh one, put in the stored one's place), and requests as [method, path, body]
const [whose, requests] = arguments;

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const bytes = (text) => new TextEncoder().encode(text);

const store = async (mode, act) => {
  const opened = indexedDB.open("holdfast-pop");
  const database = await new Promise((done, fail) => {
    opened.onsuccess = () => done(opened.result);
    opened.onerror = () => fail(opened.error);
  });
  const request = act(database.transaction("keys", mode).objectStore("keys"));
  const result = await new Promise((done, fail) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });
  database.close();
  return result;
};

const fresh = async () => {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  const { x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const canonical = `{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`;
  const thumbprint = base64url(await crypto.subtle.digest("SHA-256", bytes(canonical)));
  return { privateKey: pair.privateKey, x, y, thumbprint };
};

const key = whose === "stored" ? await store("readonly", (keys) => keys.get("current")) : await fresh();
if (whose === "planted") await store("readwrite", (keys) => keys.put(key, "current"));

const proof = async (method, path, nonce) => {
  const head = { typ: "dpop+jwt", alg: "ES256", jwk: { crv: "P-256", kty: "EC", x: key.x, y: key.y } };
  const claims = {
    jti: crypto.randomUUID(),
    htm: method,
    htu: location.origin + path.split("?")[0],
    iat: Math.floor(Date.now() / 1000),
    nonce,
  };
  const input = [head, claims].map((part) => base64url(bytes(JSON.stringify(part)))).join(".");
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key.privateKey, bytes(input));
  return `${input}.${base64url(signature)}`;
};

const csrf = /(?:^|; )csrf=([^;]*)/.exec(document.cookie);
const nonce = (await fetch("/v1/setup")).headers.get("DPoP-Nonce");
const answers = [];
for (const [method, path, body] of requests) {
  const response = await fetch(path, {
    method,
    headers: {
      DPoP: await proof(method, path, nonce),
      ...(method !== "GET" && csrf && { "X-CSRF-Token": csrf[1] }),
      ...(body !== null && { "Content-Type": "application/json" }),
    },
    ...(body !== null && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  answers.push({ status: response.status, body: text && text.startsWith("{") ? JSON.parse(text) : null });
}
return answers;
