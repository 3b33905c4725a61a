// Answers the page: calls what the suite exports, in whatever kind of worker this is.
import * as suite from "/theirs/suite.mjs";

function answer(event) {
  const { what, given, csrf } = event.data;
  const [port] = event.ports;
  suite.learn(csrf);
  const answered = Promise.resolve()
    .then(() => suite[what](...given))
    .then((value) => port.postMessage({ value }), (error) => port.postMessage({ error: String(error) }));
  // A service worker lives for its events.
  event.waitUntil?.(answered);
}

addEventListener("message", answer);
addEventListener("connect", ({ ports: [port] }) => {
  port.onmessage = answer;
});
