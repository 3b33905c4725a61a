// What an integrator writes, held against the types of the package; `tsc` compiles it strictly.
import {
  init,
  NewKey,
  PopClient,
  PopError,
  PopEventSource,
  PopSocket,
  type ConnectionState,
  type PopErrorCode,
} from "@holdfast/pop";

async function use(): Promise<void> {
  await init("/pop/holdfast_pop_bg.wasm");
  const client: PopClient = await PopClient.open({ origin: "https://console.example" });
  await PopClient.open({ csrf: "token" });
  await PopClient.open({ csrf: async () => (await caches.match("token"))?.text() ?? "" });
  client.addEventListener("status", ({ detail }) => console.log(detail === "signed-out"));
  const socket: WebSocket = client.connect("/v1/streams/chat", ["chat.1"]);
  socket.onclose = ({ code, reason, wasClean }) => console.log(code, reason, wasClean);
  socket.send(new Uint8Array([1, 2, 3]));
  const stream = client.stream(new URL("https://console.example/v1/streams/activity"));
  const events: EventSource = stream;
  events.addEventListener("activity", (event: MessageEvent) => console.log(event.data, event.lastEventId));
  stream.onstate = ({ detail }) => beat(detail);
  const response: Response = await client.fetch("/v1/me", { signal: AbortSignal.timeout(1000) });
  console.log(response.status);
  const key = await client.makeKey();
  const kept: "stored" | "memory-only" = await client.adopt(key);
  console.log(kept, key.thumbprint?.length);
  await client.destroy();
}

function beat(state: ConnectionState): string {
  switch (state.state) {
    case "open":
      return `${state.rttMs} ms`;
    case "waiting":
      return `again in ${state.retryInMs} ms`;
    case "ended":
      return state.why;
    case "connecting":
    case "proving":
    case "held":
      return state.state;
  }
}

const sentences: Record<PopErrorCode, string> = {
  not_loaded: "",
  no_key: "",
  not_supported: "",
  storage_refused: "",
  key_refused: "",
  wrong_origin: "",
  bad_argument: "",
  too_much_held: "",
  ended: "",
};

use().catch((error: unknown) => {
  if (error instanceof PopError) console.log(sentences[error.code]);
});

/** What a class has beside what the web's own has. */
type Own<Of, Web> = Record<Exclude<keyof Of, keyof Web>, "">;

// Every member that tests/e2e/package.mjs finds in the package, and no other.
const newKey: Own<NewKey, object> = { proof: "", thumbprint: "" };
const client: Own<PopClient, EventTarget> = {
  adopt: "",
  connect: "",
  destroy: "",
  fetch: "",
  makeKey: "",
  noteNonce: "",
  onstatus: "",
  proof: "",
  refreshKey: "",
  stream: "",
  thumbprint: "",
};
const socket: Own<PopSocket, WebSocket> = { onstate: "", retryNow: "" };
const stream: Own<PopEventSource, EventSource> = { onstate: "", retryNow: "" };
const error: Own<PopError, Error> = { code: "" };
const statics: Own<typeof PopClient, object> = { open: "", prototype: "" };
const states = [PopSocket.CONNECTING, PopSocket.OPEN, PopSocket.CLOSING, PopSocket.CLOSED, PopEventSource.CLOSED];
console.log(newKey, client, socket, stream, error, statics, states);

// @ts-expect-error Only `open` makes clients.
new PopClient();
// @ts-expect-error A code that does not exist.
sentences["other"];
