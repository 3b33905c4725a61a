// The vectors of single requests, tokens, actions and canonical JSON, read without any of Holdfast's code, for
// Node 20 or newer:
//
//   node vectors.mjs check FILE      FILE is dpop.json, tokens.json, step_up.json, canonical.json or the folder jcs
//
// pop.json is read by responder.mjs. Whatever a file holds and this does not know is an error.
import { createHash, createHmac, webcrypto } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { ACTIONS } from "./step_up.mjs";

const { subtle } = webcrypto;
const ECDSA = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const sha256 = (data) => createHash("sha256").update(data).digest("base64url");

class Refused extends Error {}

function must(holds, error) {
  if (!holds) throw new Refused(error);
}

/** Strict base64url: of all spellings of the same bytes one is taken. */
function decoded(text, error, length) {
  const bytes = Buffer.from(text, "base64url");
  must(bytes.toString("base64url") === text && (length ?? bytes.length) === bytes.length, error);
  return bytes;
}

/** An object in UTF-8 in which no member stands twice: of two, `JSON.parse` takes the last. */
function object(bytes, error) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const value = JSON.parse(text);
    const open = [];
    for (const [token, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g)) {
      if (token === "{" || token === "[") open.push(new Set());
      else if (token === "}" || token === "]") open.pop();
      else if (colon) {
        const name = JSON.parse(token.slice(0, -colon.length));
        must(!open.at(-1).has(name), error);
        open.at(-1).add(name);
      }
    }
    must(value !== null && typeof value === "object" && !Array.isArray(value), error);
    return value;
  } catch {
    throw new Refused(error);
  }
}

/** RFC 8785: what ECMAScript writes, with members in the order of their UTF-16 code units. */
export function canonical(value) {
  if (typeof value === "string" && !value.isWellFormed()) throw new Refused("a surrogate alone");
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${canonical(name)}:${canonical(value[name])}`).join()}}`;
}

const texts = (of, ...names) => names.every((name) => typeof of[name] === "string");
const PUBLIC = ["kty", "crv", "x", "y", "alg", "use", "kid", "key_ops"];

/** RFC 9449 section 4.3, checks 2 to 9: the thumbprint of the key that signed. */
export async function dpop({ method, url, proof }) {
  const parts = proof.split(".");
  must(proof.length <= 4096 && parts.length === 3, "NotCompact");
  const [head, body, signature] = parts.map((part) => decoded(part, "NotCompact"));
  must(signature.length === 64, "NotCompact");
  const { typ, alg, jwk, ...more } = object(head, "BadHeader");
  must(typ === "dpop+jwt" && alg === "ES256" && !("crit" in more), "BadHeader");
  const isPublic = jwk instanceof Object && Object.keys(jwk).every((name) => PUBLIC.includes(name));
  must(isPublic && jwk.kty === "EC" && jwk.crv === "P-256" && texts(jwk, "x", "y"), "BadHeader");
  const [x, y] = [jwk.x, jwk.y].map((half) => decoded(half, "BadHeader", 32));
  const claims = object(body, "BadClaims");
  must(texts(claims, "jti", "htm", "htu") && Number.isInteger(claims.iat), "BadClaims");
  must(claims.jti.length >= 16 && claims.jti.length <= 256, "BadClaims");
  must(["nonce", "ath"].every((name) => typeof (claims[name] ?? "") === "string"), "BadClaims");
  const point = Buffer.concat([Buffer.of(4), x, y]);
  const key = await subtle.importKey("raw", point, ECDSA, false, ["verify"]).catch(() => null);
  const signed = Buffer.from(proof.slice(0, proof.lastIndexOf(".")));
  must(key && (await subtle.verify(ECDSA, key, signature, signed)), "BadSignature");
  must(claims.htm === method, "OtherMethod");
  must(claims.htu === url, "OtherUrl");
  return sha256(`{"crv":"P-256","kty":"EC","x":"${jwk.x}","y":"${jwk.y}"}`);
}

const id = (kind, text) => new RegExp(`^${kind}_[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}$`).test(text);
const jkt = (text) => typeof text === "string" && decoded(text, "NotClaims", 32);
const members = (of, ...names) => of instanceof Object && Object.keys(of).sort().join() === names.sort().join();
const PURPOSES = {
  login: (of) => members(of, "jkt") && jkt(of.jkt),
  registration: (of) => members(of, "account", "jkt") && id("acc", of.account) && jkt(of.jkt),
  step_up: (of) =>
    members(of, "account", "session", "jkt", "action", "target", "parameters", "locale", "sentence") &&
    texts(of, "target", "parameters", "sentence") && id("acc", of.account) && id("ses", of.session) &&
    jkt(of.jkt) && Object.hasOwn(ACTIONS, of.action) && of.locale === "en" &&
    decoded(of.parameters, "NotClaims"),
};

/** What a browser holds against a token before any prompt. Gives what it names. */
export function token({ token, challenge, label, begun }) {
  must(createHash("sha256").update(token).digest("base64url") === challenge, "OtherChallenge");
  const [payload, mac, ...more] = token.split(".");
  must(mac !== undefined && more.length === 0, "NotAToken");
  decoded(mac, "NotAToken", 32);
  const claims = object(decoded(payload, "NotAToken"), "NotClaims");
  const known = ["purpose", "nonce", "ceremony", "origin", "rp_id", "issued_at_ms", "expires_at_ms"];
  must(members(claims, ...known) && texts(claims, "nonce", "ceremony", "origin", "rp_id"), "NotClaims");
  const { purpose, issued_at_ms, expires_at_ms, ...same } = claims;
  must(members(purpose, Object.keys(purpose)[0]), "NotClaims");
  const [[kind, named]] = Object.entries(purpose);
  must(Object.hasOwn(PURPOSES, kind) && PURPOSES[kind](named) && id("cer", same.ceremony), "NotClaims");
  must([issued_at_ms, expires_at_ms].every((time) => Number.isSafeInteger(time) && time >= 0), "NotClaims");
  must(decoded(same.nonce, "NotClaims").length === 32, "OtherCeremony");
  const { jkt: key, ...rest } = begun;
  must(`token/${kind.replace("_", "-")}` === label && named.jkt === key, "OtherCeremony");
  must(Object.entries(rest).every(([name, value]) => same[name] === value), "OtherCeremony");
  return named;
}

/** The same of a step-up, and that it is for exactly what the person has asked for. */
export function stepUp({ asked: { account, session, action, parameters }, ...offered }) {
  const named = token({ ...offered, label: "token/step-up" });
  const payload = decoded(offered.token.split(".")[0]).toString();
  must(canonical(JSON.parse(payload)) === payload, "OtherSpelling");
  const wanted = JSON.parse(parameters);
  must(named.account === account, "OtherAccount");
  must(named.session === session, "OtherSession");
  must(named.action === action, "OtherAction");
  must(named.target === ACTIONS[action].target(wanted), "OtherTarget");
  must(named.parameters === sha256(parameters), "OtherParameters");
  must(named.sentence === ACTIONS[action].sentence(wanted), "OtherSentence");
  return named;
}

function is(found, wanted, about) {
  if (found !== wanted) throw new Error(`${about}: ${found} is not ${wanted}`);
}

const nothing = (rest) => is(Object.keys(rest).join(), "", "unknown");
const outcome = (work) =>
  Promise.resolve().then(work).catch((error) => {
    if (error instanceof Refused || error instanceof SyntaxError) return error.message;
    throw error;
  });
const read = (file) => JSON.parse(readFileSync(file, "utf8"));

const CHECKS = {
  async "dpop.json"(file) {
    const { about, proofs, ...unknown } = read(file);
    nothing(unknown);
    for (const { about, method, url, proof, gives, ...rest } of proofs) {
      nothing(rest);
      is(await outcome(() => dpop({ method, url, proof })), gives, about);
    }
  },

  async "tokens.json"(file) {
    const { about, key, begun, tokens, step_up: asked, step_ups, ...unknown } = read(file);
    nothing(unknown);
    const { jkt, ceremony, origin, rp_id, ...more } = begun;
    nothing(more);
    const { account, session, action, parameters, ...most } = asked;
    nothing(most);
    const check = async ({ about, token: text, mac, challenge, gives, ...rest }, taken) => {
      nothing(rest);
      const [payload, unverified] = text.split(".");
      const hmac = createHmac("sha256", Buffer.from(key, "base64url")).update(payload);
      is(hmac.digest("base64url") === unverified, mac, `the MAC of ${about}`);
      const found = () => taken({ token: text, challenge, begun }) && "Taken";
      is(await outcome(found), gives, about);
    };
    for (const { label, ...vector } of tokens) await check(vector, (it) => token({ ...it, label }));
    for (const vector of step_ups) await check(vector, (it) => stepUp({ ...it, asked }));
  },

  async "step_up.json"(file) {
    const { about, actions, ...unknown } = read(file);
    nothing(unknown);
    for (const { about, kind, path, parameters, sha256: hash, target, sentence, ...rest } of actions) {
      nothing(rest);
      const said = JSON.parse(parameters);
      is(canonical(said), parameters, about);
      is(sha256(parameters), hash, about);
      is(ACTIONS[kind].path, path, about);
      is(ACTIONS[kind].target(said), target, about);
      is(ACTIONS[kind].sentence(said), sentence, about);
    }
    const kinds = new Set(actions.map(({ kind }) => kind));
    is(Object.keys(ACTIONS).sort().join(), [...kinds].sort().join(), "the kinds that both know");
  },

  async "canonical.json"(file) {
    const { about, canonical: cases, not_canonical, ...unknown } = read(file);
    nothing(unknown);
    for (const { about, json, canonical: wanted, sha256: hash, ...rest } of cases) {
      nothing(rest);
      is(canonical(JSON.parse(json)), wanted, about);
      is(sha256(wanted), hash, about);
    }
    for (const { text, why, ...rest } of not_canonical) {
      nothing(rest);
      const again = await outcome(() => canonical(JSON.parse(text)));
      is(again === text, false, why);
    }
  },

  async jcs(folder) {
    for (const name of readdirSync(join(folder, "input"))) {
      const output = readFileSync(join(folder, "output", name), "utf8");
      is(canonical(read(join(folder, "input", name))), output, name);
    }
  },
};

const [, , command, file] = process.argv;
if (command === "check") await CHECKS[basename(file)](file);
