/** The one of these words that was probably meant, at most two slips of the finger away; undefined where none is. Pure. */
export const nearestWord = (word: string, known: readonly string[]): string | undefined =>
  known
    .filter((candidate) => Math.abs(candidate.length - word.length) <= maxSlips)
    .map((candidate) => ({ candidate, slips: editDistance(word, candidate) }))
    .filter(({ slips }) => slips <= maxSlips)
    .toSorted((a, b) => a.slips - b.slips)[0]?.candidate;

const maxSlips = 2;

/** Letters to insert, delete or exchange, and neighbours to swap, on the way from one word to the other (Damerau–Levenshtein). */
function editDistance(a: string, b: string): number {
  // rows[i][j]: from the first i letters of one to the first j of the other.
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const from = (i: number, j: number): number => rows[i]?.[j] ?? Infinity;
  for (let i = 1; i <= a.length; i += 1) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const isSwapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const change = from(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      rows[i]?.push(Math.min(from(i - 1, j) + 1, from(i, j - 1) + 1, change, isSwapped ? from(i - 2, j - 2) + 1 : Infinity));
    }
  }
  return from(a.length, b.length);
}
