// A page of somebody else's console: one client, one connection, and everything that they tell, in order and
// as words. The tests read the words; what they do to browser, network and server is theirs.
import { init, PopClient } from "/theirs/pop/index.mjs";

/** `connecting`, `proving`, `open`, `held`, `waiting MS`, `ended WHY`; `data`; `closed CODE`; `status WHAT`. */
export const told = [];
let client;
let line;

// Whether the back/forward cache gave the page back.
addEventListener("pageshow", ({ persisted }) => persisted && told.push("shown again"));

/** Opens the client: the thumbprint of the key that it found, if there is one. */
export async function open() {
  await init();
  client = await PopClient.open();
  client.onstatus = ({ detail }) => told.push(`status ${detail}`);
  return client.thumbprint ?? null;
}

const STREAM = "/v1/streams/activity";
const OPEN = {
  socket: () => client.connect(STREAM, "holdfast.activity.1"),
  stream: () => client.stream(STREAM),
};

export function connect(kind) {
  line = OPEN[kind]();
  line.onstate = ({ detail: { state, retryInMs, why = "" } }) => told.push(`${state} ${retryInMs ?? why}`.trim());
  line.onclose = ({ code }) => told.push(`closed ${code}`);
  for (const name of ["message", "activity"]) line.addEventListener(name, () => told.push("data"));
}

export const retry = () => line.retryNow();
export const thumbprint = () => client.thumbprint ?? null;

/** The status and code of one request. */
export async function ask(path) {
  const response = await client.fetch(path);
  return `${response.status} ${(await response.json()).code ?? ""}`.trim();
}

/** Asks until the server has had enough of it. */
export async function askTooMuch() {
  const asking = async () => {
    for (let status = 200; status !== 429; ) {
      ({ status } = await client.fetch("/v1/me"));
      if (status !== 200 && status !== 429) throw new Error(`refused with ${status}`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, asking));
}

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const post = (path, body, headers) => {
  const json = { "content-type": "application/json" };
  return fetch(path, { method: "POST", headers: { ...json, ...headers }, body: JSON.stringify(body) });
};

/** The ceremony of http.md, with a fresh key: whether it is stored. */
export async function signIn() {
  const key = await client.makeKey();
  const begun = await post("/v1/login/options", { jkt: key.thumbprint });
  client.noteNonce(begun.headers.get("DPoP-Nonce"));
  const { ceremony, token, public_key } = await begun.json();
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(public_key);
  const { rawId, response } = await navigator.credentials.get({ publicKey });
  const credential = {
    id: base64url(rawId),
    client_data_json: base64url(response.clientDataJSON),
    authenticator_data: base64url(response.authenticatorData),
    signature: base64url(response.signature),
    user_handle: base64url(response.userHandle),
  };
  const proof = await key.proof("POST", "/v1/login/verify");
  const verified = await post("/v1/login/verify", { ceremony, token, credential }, { DPoP: proof });
  if (!verified.ok) throw new Error(await verified.text());
  return client.adopt(key);
}

/** Signs out as a console may whose server clears nothing: the key goes, here and in every tab that hears it. */
export const forget = () => client.destroy();

export async function signOut() {
  const headers = { "content-type": "application/json" };
  await client.fetch("/v1/logout", { method: "POST", headers, body: JSON.stringify({ scope: "this_browser" }) });
  await client.destroy();
}

/** Whatever was under way has had its turn: a signature, another tab, the server. */
export async function settle() {
  for (let round = 0; round < 5; round += 1) {
    if (client.thumbprint) await client.proof("GET", "/");
    await navigator.locks.query();
    await fetch("/v1/health");
    await new Promise((done) => setTimeout(done));
  }
}

// Several tabs do the same at once: each waits for a word, and one of them says it.
const others = new BroadcastChannel("together");
const WORK = {
  open: async () => (await PopClient.open()).thumbprint,
  async adopt() {
    await client.adopt(await client.makeKey());
  },
};
others.onmessage = ({ data }) => (told.push(`begins ${data}`), WORK[data]().then(() => told.push(`done ${data}`)));

/**
 * Holds the lock of the key while all others begin, and lets go when so many of them wait for it: how many did.
 * A tab does not wait for ever, so that on a busy machine the first may have gone on before the last one came.
 */
export async function together(work, count) {
  const waiting = async () => {
    const { pending } = await navigator.locks.query();
    return pending.filter(({ name }) => name === "holdfast-pop").length;
  };
  return navigator.locks.request("holdfast-pop", async () => {
    others.postMessage(work);
    let most = 0;
    for (let look = 0; look < 100 && most < count; look += 1) {
      most = Math.max(most, await waiting());
      await new Promise((done) => setTimeout(done, 20));
    }
    return most;
  });
}
