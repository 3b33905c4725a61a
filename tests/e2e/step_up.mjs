// A page of somebody else's console whose person confirms whatever they read, and remembers it.
import { init, PopClient } from "/theirs/pop/index.mjs";
import { ACTIONS, Alarm, committed, encoded, perform, post, register } from "/theirs/actions.mjs";

let client;

/** The sentences that the person has agreed to. */
const read = [];
const agrees = async (sentence) => read.push(sentence) > 0;

/** How often the browser was asked for a signature. */
let prompts = 0;
const get = CredentialsContainer.prototype.get;
CredentialsContainer.prototype.get = function (options) {
  prompts += 1;
  return get.call(this, options);
};

const json = async (path) => (await client.fetch(path)).json();
const act = (kind, parameters, secret) => perform(client, ACTIONS[kind], parameters, agrees, secret);

const mine = async () => {
  const { account } = await json("/v1/me");
  return { account: account.id, email: account.email };
};

const passkey = async (wanted) => {
  const { passkeys } = await json("/v1/passkey");
  const { id, name } = passkeys.find(({ id }) => id === wanted);
  return { id, name };
};

let options;

/** What a person does here. */
const WALKS = {
  async removePasskey(id) {
    return act("passkey.remove", await passkey(id));
  },

  async testPasskey(id) {
    return act("passkey.test", await passkey(id));
  },

  async beginPasskey() {
    options = await act("passkey.register.additional", await mine());
    return options;
  },

  async finishPasskey(token = options.token) {
    return register(client, { ...options, token });
  },

  readLog: json,

  async endSessions(passkey) {
    return post(client, "/v1/sessions/end-by-passkey", { passkey });
  },

  async regenerateRecoveryCodes() {
    const verifiers = Array.from({ length: 10 }, () => encoded(crypto.getRandomValues(new Uint8Array(32))));
    return act("recovery_codes.regenerate", { ...(await mine()), verifiers });
  },

  wallet: () => json("/v1/wallet"),

  async sendMoney(to, to_name, amount, note) {
    const { id } = await json("/v1/wallet");
    return act("wallet.send", { from: id, to, to_name, amount, note });
  },

  async storeCredential(name, channel, text) {
    // What is there already; and the client's first proof learns its nonce.
    await json("/v1/credentials");
    const { commitment, secret } = await committed(new TextEncoder().encode(text));
    return act("credential.set", { name, channel, commitment }, secret);
  },

  listCredentials: () => json("/v1/credentials"),

  /** Answers with what a terminal shows up to the answer of a sum. */
  async openTerminal() {
    const { account } = await json("/v1/me");
    await act("terminal.open", { account: account.id, email: account.email });
    const terminal = client.connect("/v1/streams/terminal");
    terminal.binaryType = "arraybuffer";
    terminal.onopen = () => terminal.send(new TextEncoder().encode("echo $((6 * 7))_\n"));
    let shown = "";
    await new Promise((resolve, reject) => {
      terminal.onmessage = ({ data }) => {
        shown += new TextDecoder().decode(data);
        if (shown.includes("42_")) resolve();
      };
      terminal.onclose = ({ code }) => reject(new Error(`closed with ${code} after ${shown}`));
    });
    terminal.close();
    return shown;
  },

  deleteCredential: (name, channel) => act("credential.remove", { name, channel }),
};

export async function open() {
  await init();
  client = await PopClient.open();
}

/** Goes one of the walks: how it ended, what the person has read, and how often a signature was asked for. */
export async function walk(name, ...given) {
  prompts = 0;
  const done = (answer) => ({ ended: "done", answer });
  const failed = (error) => {
    if (error instanceof Alarm) return { ended: "alarm", answer: error.message };
    if (error.problem) return { ended: error.problem.code, answer: error.problem };
    return { ended: error.name, answer: error.message };
  };
  const ended = await WALKS[name](...given).then(done, failed);
  return { ...ended, read: read.splice(0), prompts };
}
