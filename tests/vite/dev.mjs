// Vite's development server, asked as a browser would ask. It bundles what is installed beforehand, into a folder
// that has no wasm: the module must be looked for where it is.
import { createServer as createHttp } from "node:http";
import { once } from "node:events";
import { createServer } from "vite";

const vite = await createServer({ logLevel: "warn", server: { middlewareMode: true, hmr: false, ws: false } });
const http = createHttp(vite.middlewares).listen(0, "127.0.0.1");
await once(http, "listening");

/** What stands at an address, whose text leads on to the next one. */
async function get(address, from) {
  const answer = await fetch(new URL(address, from));
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
  return answer;
}

async function next(answer, pattern) {
  const found = pattern.exec(await answer.text());
  if (!found) throw new Error(`${answer.url} does not hold ${pattern}`);
  return get(found[1], answer.url);
}

const page = await get("/built/main.jsx", `http://127.0.0.1:${http.address().port}`);
const script = await next(page, /from "([^"]*\/\.vite\/deps\/@holdfast_pop[^"]*)"/);
const module = await next(script, /new URL\("([^"]+\.wasm)"/);
const kind = module.headers.get("content-type");
if (kind !== "application/wasm" || !WebAssembly.validate(await module.arrayBuffer())) {
  throw new Error(`${module.url} is ${kind}`);
}
http.close();
await vite.close();
