// Many connections of one page, each proven again and again; and what that costs the page.
import { init, PopClient } from "/theirs/pop/index.mjs";

/** When challenges were found right, and the tasks of more than 50 ms, in milliseconds of the page's clock. */
const proven = [];
const long = [];

new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) long.push({ from: startTime, to: startTime + duration });
}).observe({ type: "longtask" });

export async function begin(connections) {
  await init();
  const client = await PopClient.open();
  await client.adopt(await client.makeKey());
  for (let at = 0; at < connections; at += 1) {
    client.connect("/v1/streams/busy").onstate = ({ detail }) => {
      if (detail.state === "open") proven.push(performance.now());
    };
  }
}

/** A long task on purpose: the observer sees it, or its silence says nothing. */
export async function provoke() {
  const before = long.length;
  setTimeout(() => {
    for (const from = performance.now(); performance.now() - from < 80; );
  });
  for (let look = 0; look < 100 && long.length === before; look += 1) {
    await new Promise((done) => setTimeout(done, 20));
  }
  return long.length > before;
}

/** Whether so many challenges in a row were answered within so long, without one long task meanwhile. */
export function wasCalm(count, within) {
  for (let at = count; at < proven.length; at += 1) {
    const [from, to] = [proven[at - count], proven[at]];
    if (to - from <= within && !long.some((task) => task.from < to && task.to > from)) return true;
  }
  return false;
}

export const seen = () => {
  const seconds = (proven.at(-1) - proven[0]) / 1000;
  const longest = Math.max(0, ...long.map(({ from, to }) => to - from));
  return `${proven.length} challenges in ${seconds} s, ${long.length} long tasks, the longest ${longest} ms`;
};
