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

/** The longest task that was at work between two times, in milliseconds; 0 where none had more than 50. */
const longest = (from, to) =>
  Math.max(0, ...long.filter((task) => task.from < to && task.to > from).map((task) => task.to - task.from));

/** Each so many challenges in a row: how long they took, and the longest task meanwhile, in milliseconds. */
export function stretches(count) {
  const all = [];
  for (let at = count; at < proven.length; at += count) {
    const [from, to] = [proven[at - count], proven[at]];
    all.push({ took: to - from, longest: longest(from, to) });
  }
  return all;
}

/** The longest task of a time in which nothing is asked of the page. */
export async function rest(ms) {
  const from = performance.now();
  await new Promise((done) => setTimeout(done, ms));
  return longest(from, performance.now());
}
