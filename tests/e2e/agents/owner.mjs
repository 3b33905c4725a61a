// What an owner does about agents, through the npm package, at addresses and with shapes of protocol/http.md.
import { init, PopClient } from "/theirs/pop/index.mjs";

await init();
const client = await PopClient.open();

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/** `{ status, body }`; no content is `null`. */
export async function ask(method, path, body) {
  const headers = body && { "content-type": "application/json" };
  const response = await client.fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const said = await response.text();
  return { status: response.status, body: said ? JSON.parse(said) : null };
}

/** An action, confirmed with the passkey. */
export async function confirm(path, parameters) {
  const { status, body } = await ask("POST", `${path}/stepup`, parameters);
  if (status !== 200) return { status, body };
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(body.public_key);
  const { rawId, response } = await navigator.credentials.get({ publicKey });
  const credential = {
    id: text(rawId),
    client_data_json: text(response.clientDataJSON),
    authenticator_data: text(response.authenticatorData),
    signature: text(response.signature),
    user_handle: text(response.userHandle),
  };
  const confirmation = { ceremony: body.ceremony, token: body.token, credential };
  return ask("POST", path, { parameters, confirmation });
}
