/** The points of the test: a small shop, the same ones each time. */

export const POINTS = 1100;
/** Ids and numbers that JavaScript's numbers cannot hold. */
export const LARGE_ID = "9007199254740993";
export const LARGE_NUMBER = "9223372036854775807";
export const SCRIPT = '<img src=x onerror="document.title=1">';

const COLOURS = ["red", "blue", "green", "black"];
const THINGS = ["boot", "sandal", "sneaker", "coat", "hat"];

/** A generator of numbers of 0 to 1: the same ones for the same seed. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** The lines of a JSONL file. */
export function shopLines(): string[] {
  const next = numbers(14);
  const vector = (size: number) => Array.from({ length: size }, () => Number((next() * 2 - 1).toFixed(4)));
  const pick = (words: string[]) => words[Math.floor(next() * words.length)];
  const lines = Array.from({ length: POINTS }, (_, at) => {
    const payload = { title: `${pick(COLOURS)} ${pick(THINGS)} of ${pick(COLOURS)}`, price: at % 200, brand: pick(["Acme", "Brio"]) };
    return JSON.stringify({ id: at + 1, vectors: { text: vector(24), image: vector(8) }, payload });
  });
  const special = `{"id": ${LARGE_ID}, "vectors": {"text": ${JSON.stringify(vector(24))}}, "payload": {"title": ${JSON.stringify(SCRIPT)}, "price": 5000, "large": ${LARGE_NUMBER}}}`;
  return [...lines, special];
}
