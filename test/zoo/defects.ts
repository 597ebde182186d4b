import type { Defect, Member } from './defect.ts';
import { answers } from './defects/answers.ts';
import { books } from './defects/books.ts';
import { limiters } from './defects/limiters.ts';
import { pools } from './defects/pools.ts';
import { wire } from './defects/wire.ts';
import type { SuiteName } from './suites.ts';

const bySuite: Readonly<Record<SuiteName, readonly Defect[]>> = {
  users: [...answers, ...books, ...wire],
  pool: pools,
  ratelimit: limiters,
};

/** Every member of the zoo: each must be found, by name and with a witness, by its suite. */
export const defects: readonly Member[] = (Object.keys(bySuite) as SuiteName[]).flatMap((foundBy) =>
  bySuite[foundBy].map((defect) => ({ ...defect, foundBy })),
);
