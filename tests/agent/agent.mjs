// An agent in plain JavaScript, for Node 18 or newer, written from protocol/http.md alone.
//
//   node agent.mjs https://console.example Shopper 50.00
//
// It shows a code, and the address where its owner may type it, waits, and then does what it reads, a line each:
// `pay AMOUNT MERCHANT TOKEN`, where the merchant has named the token, `names` or `read NAME` of credentials, or
// `left`. It ends with its input, or when it is revoked.
import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";

const [address, name, budget] = process.argv.slice(2);
const isUrl = (text) => {
  try {
    return Boolean(new URL(text));
  } catch {
    return false;
  }
};
if (!isUrl(address) || !name || !budget) {
  console.error("node agent.mjs ADDRESS NAME BUDGET, such as: node agent.mjs http://localhost:8080 Shopper 50.00");
  process.exit(2);
}

/** Asks the console; `{ status, body }`, where the body of a refusal is a problem document (RFC 9457). */
async function ask(method, path, { body, token, key } = {}) {
  const headers = {
    ...(body && { "content-type": "application/json" }),
    ...(token && { authorization: `Bearer ${token}` }),
    ...(key && { "idempotency-key": key }),
  };
  const response = await fetch(new URL(path, address), { method, headers, body: body && JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}

/** Says the same again while it is unknown whether it was heard: a charge has its key, and of two tokens the newer is good. */
async function insist(method, path, request) {
  for (let tries = 1; ; tries += 1) {
    const answer = await ask(method, path, request).catch((error) => {
      if (tries === 5) throw error;
    });
    if (answer && answer.status !== 503) return answer;
    await wait(200 * tries);
  }
}

const refused = ({ body }) => new Error(`${body.code}: ${body.detail}`);

async function paired() {
  const wish = await ask("POST", "/v1/agents/pairings", { body: { name, scope: "workspace", budget } });
  if (wish.status !== 200) throw refused(wish);
  console.log(`code ${wish.body.code}`);
  console.log(`for ${new URL(`/console/agents?code=${wish.body.code}`, address)}`);
  for (;;) {
    const claim = await insist("POST", "/v1/agents/pairings/claim", { body: { secret: wish.body.secret } });
    if (claim.status !== 200) throw refused(claim);
    if (claim.body.state === "approved") {
      // Its first use makes the token its own.
      const own = await insist("GET", "/v1/agents/self", { token: claim.body.token });
      // An earlier claim, thought lost, may have come after this one: the next one is told what is so.
      if (own.status === 401) continue;
      if (own.status !== 200) throw refused(own);
      return { token: claim.body.token, agent: own.body };
    }
    await wait(1000 * wish.body.poll_every_s);
  }
}

const WORK = {
  async pay(token, amount, merchant, settlement_token) {
    const body = { amount, merchant: { name: merchant, settlement_token } };
    const answer = await insist("POST", "/v1/agents/charges", { body, token, key: randomUUID() });
    return answer.status === 200 ? { ...answer, said: `paid ${answer.body.amount}, left ${answer.body.left}` } : answer;
  },
  async read(token, name) {
    const answer = await ask("GET", `/v1/agents/credentials/${name}`, { token });
    return { ...answer, said: `read ${Buffer.from(answer.body.value ?? "", "base64url")}` };
  },
  async names(token) {
    const answer = await ask("GET", "/v1/agents/credentials", { token });
    return { ...answer, said: `names ${answer.body.names}` };
  },
  async left(token) {
    const answer = await ask("GET", "/v1/agents/self", { token });
    return { ...answer, said: `left ${answer.body.left}` };
  },
};

// Whoever started it is gone when the input ends, also while it waits to be paired.
const lines = createInterface({ input: process.stdin }).on("close", () => process.exit(0));
const { token, agent } = await paired();
console.log(`paired ${agent.id} ${agent.budget}`);
// For people; programs read the other output.
const USAGE = "Type: pay 12.50 Bookshop USDC (what the merchant wants to be paid in), left, names, or read NAME";
console.error(USAGE);
for await (const line of lines) {
  const [what, ...parameters] = line.split(" ");
  if (!Object.hasOwn(WORK, what)) {
    console.error(USAGE);
    continue;
  }
  const answer = await WORK[what](token, ...parameters);
  console.log(answer.status === 200 ? answer.said : `refused ${answer.body.code}`);
  if (answer.status !== 200) console.error(answer.body.detail ?? answer.body.title);
  if (answer.status === 401) break;
}
