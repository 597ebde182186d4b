/** Lengths of the lines that `write-lines` writes, in order: short ones, and some that fill a batch alone. */
export const lineLengths: readonly number[] = Array.from({ length: 3_000 }, (_, index) => (index % 500 === 0 ? 20_000 : 1 + (index % 300)));
