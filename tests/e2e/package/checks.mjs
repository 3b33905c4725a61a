// What the checks of the package are made of.

export function expect(held, what) {
  if (!held) throw new Error(what);
}

export const is = (found, wanted) => expect(Object.is(found, wanted), `${String(found)} is not ${String(wanted)}`);

/** The next event of this type; it fails where none comes. */
export const event = (target, type, wanted = () => true) =>
  new Promise((done, failed) => {
    const late = setTimeout(() => failed(new Error(`no ${type}`)), 15_000);
    target.addEventListener(type, (event) => wanted(event) && (clearTimeout(late), done(event)));
  });

/** Until this gives something. */
export async function until(look) {
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    await new Promise((done) => setTimeout(done, 20));
  }
}
