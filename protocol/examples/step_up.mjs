// An action that its owner confirms, in a page of your own console that has a client of `@holdfast/pop`:
//
//   const { passkeys } = await (await client.fetch("/v1/passkey")).json();
//   const { id, name } = passkeys[1];
//   await perform(client, ACTIONS["passkey.remove"], { id, name }, async (sentence) => confirm(sentence));
//
// What the server wants signed is held against what the person asked for before anything is shown, so that a
// server that lies, or whoever stands before it, gets no prompt.

/** Something else would be signed than what was asked for. Say so; do not try again. */
export class Alarm extends Error {}

/** The server has refused; `problem` is its RFC 9457 document. */
export class Refused extends Error {
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** A name that somebody gave: it cannot end its own quotation. */
const quoted = (name) => `“${name.replace(/[“”]/g, '"')}”`;

const placed = (channel) =>
  channel === "default" ? " of every channel that has no other" : ` of the channel ${quoted(channel)}`;
const named = ({ agent, name }) => `${quoted(name)} (${agent})`;
const minute = (ms) => `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;
const files = { workspace: "the workspace's files", full: "every file of the machine" };

/** Where an action is done, to what, and what the person reads: from the parameters alone, as the server writes it. */
export const ACTIONS = {
  "passkey.remove": {
    path: "/v1/passkey/delete",
    target: ({ id }) => id,
    sentence: ({ id, name }) => `Remove the passkey ${quoted(name)} (${id}). It can never sign in again.`,
  },
  "passkey.test": {
    path: "/v1/passkey/test",
    target: ({ id }) => id,
    sentence: ({ id, name }) => `Test the passkey ${quoted(name)} (${id}). Nothing is changed.`,
  },
  "passkey.register.additional": {
    path: "/v1/passkey/register/options",
    target: ({ account }) => account,
    sentence: ({ account, email }) =>
      `Add a passkey to the account ${quoted(email)} (${account}). It will sign in like this one.`,
  },
  "recovery_codes.regenerate": {
    path: "/v1/recovery-codes/regenerate",
    target: ({ account }) => account,
    sentence: ({ account, email }) =>
      `Replace the recovery codes of ${quoted(email)} (${account}). The old ones stop working.`,
  },
  "wallet.send": {
    path: "/v1/wallet/send",
    target: ({ to }) => to,
    sentence: ({ amount, to, to_name, note }) =>
      `Send ${amount} USD to ${quoted(to_name)} (${to}).${note ? ` With the note ${quoted(note)}.` : ""}`,
  },
  "terminal.open": {
    path: "/v1/terminal/open",
    target: ({ account }) => account,
    sentence: ({ account, email }) =>
      `Open a terminal on this console's machine for ${quoted(email)} (${account}). ` +
      "It can do everything there that the console itself can.",
  },
  "credential.set": {
    path: "/v1/credentials/set",
    target: ({ name, channel }) => `${channel}/${name}`,
    sentence: ({ name, channel }) =>
      `Store the credential ${quoted(name)}${placed(channel)}. Its agents can read it; a value that it had is lost.`,
  },
  "credential.remove": {
    path: "/v1/credentials/remove",
    target: ({ name, channel }) => `${channel}/${name}`,
    sentence: ({ name, channel }) =>
      `Delete the credential ${quoted(name)}${placed(channel)}. Its value is lost.`,
  },
  "agent_session.approve": {
    path: "/v1/agents/approve",
    target: ({ agent }) => agent,
    sentence: ({ code, scope, budget, expires_at_ms, ...agent }) =>
      (code
        ? `Pair the agent ${named(agent)}, which shows ${code}. `
        : `Give the agent ${named(agent)} other limits. `) +
      `It may spend ${budget} USD in all until ${minute(expires_at_ms)}, with ${files[scope]}.`,
  },
  "agent.revoke": {
    path: "/v1/agents/revoke",
    target: ({ agent }) => agent,
    sentence: (agent) => `Revoke the agent ${named(agent)}. It can do nothing more.`,
  },
  "agent.teardown": {
    path: "/v1/agents/teardown",
    target: ({ agent }) => agent,
    sentence: (agent) => `Revoke the agent ${named(agent)} and delete its credentials.`,
  },
};
for (const [kind, action] of Object.entries(ACTIONS)) action.kind = kind;

/**
 * Does it, and gives the answer. The server says whether it wants a confirmation (403 `step_up_required`); `agrees`
 * shows the sentence to the person and waits for their click. The key makes a repeat after a lost answer harmless.
 * `secret` opens the commitment of those parameters that have one.
 */
export async function perform(client, action, parameters, agrees, secret) {
  const headers = { "idempotency-key": crypto.randomUUID() };
  const send = (confirmation) => post(client, action.path, { parameters, secret, confirmation }, headers);
  try {
    return await send();
  } catch (error) {
    if (error.problem?.reason !== "token") throw error;
  }
  return send(await confirm(client, action, parameters, agrees));
}

/** A secret's bytes, to be sent beside the parameters, and what these say of it. */
export async function committed(value) {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const label = new TextEncoder().encode("holdfast/commitment/v1");
  const commitment = await hash(Uint8Array.from([...label, ...salt, ...value]));
  return { commitment, secret: { salt: encoded(salt), value: encoded(value) } };
}

/** Asks for the passkey's signature under exactly this. */
export async function confirm(client, action, parameters, agrees) {
  const options = await post(client, `${action.path}/stepup`, parameters);
  const named = await purpose(client, options, "step_up");
  const sentence = action.sentence(parameters);
  must(named.action === action.kind, "action");
  must(named.target === action.target(parameters), "target");
  must(named.parameters === (await sha256(canonical(parameters))), "parameters");
  must(named.sentence === sentence, "sentence");
  must(options.public_key.userVerification === "required", "way");
  if (!(await agrees(sentence))) throw new DOMException("The person does not want it.", "AbortError");

  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options.public_key);
  const { id, response } = (await navigator.credentials.get({ publicKey })).toJSON();
  const credential = {
    id,
    client_data_json: response.clientDataJSON,
    authenticator_data: response.authenticatorData,
    signature: response.signature,
    user_handle: response.userHandle,
  };
  return { ceremony: options.ceremony, token: options.token, credential };
}

/** Makes the passkey whose options `passkey.register.additional` has given, and has it taken in. */
export async function register(client, options) {
  await purpose(client, options, "registration");
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options.public_key);
  const { id, response, clientExtensionResults } = (await navigator.credentials.create({ publicKey })).toJSON();
  const rk = clientExtensionResults.credProps?.rk;
  const credential = {
    id,
    client_data_json: response.clientDataJSON,
    attestation_object: response.attestationObject,
    transports: response.transports,
    ...(rk !== undefined && { discoverable: rk ? "yes" : "no" }),
  };
  const { ceremony, token } = options;
  return post(client, "/v1/passkey/register/verify", { ceremony, token, credential });
}

/**
 * What the token is for, if it was made for this ceremony and this browser's key, and the challenge is its hash. Only
 * the server can check its HMAC; its times are the server's, too.
 */
export async function purpose(client, { ceremony, token, public_key }, kind) {
  must(public_key.challenge === (await sha256(token)), "challenge");
  const json = new TextDecoder().decode(decoded(token.split(".")[0]));
  const { purpose, ...claims } = JSON.parse(json);
  must(Object.keys(purpose).join() === kind && purpose[kind].jkt === client.thumbprint, "key");
  must(claims.ceremony === ceremony && decoded(claims.nonce).length === 32, "ceremony");
  must(claims.origin === location.origin, "origin");
  must(claims.rp_id === (public_key.rpId ?? public_key.rp.id), "relying party");
  return purpose[kind];
}

function must(holds, what) {
  if (!holds) throw new Alarm(`The server wants another ${what} confirmed than this page has asked for.`);
}

/** RFC 8785: what ECMAScript writes, with members in the order of their UTF-16 code units. */
export function canonical(value) {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join()}}`;
}

const decoded = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));

export const encoded = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const hash = async (bytes) => encoded(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));

const sha256 = (text) => hash(new TextEncoder().encode(text));

/** The answer's JSON, or `null` for 204. */
export async function post(client, path, body, headers) {
  const json = { "content-type": "application/json" };
  const sent = { method: "POST", headers: { ...json, ...headers }, body: JSON.stringify(body) };
  const response = await client.fetch(path, sent);
  const answer = response.status === 204 ? null : await response.json();
  if (!response.ok) throw new Refused(answer);
  return answer;
}
