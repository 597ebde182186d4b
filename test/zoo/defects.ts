import type { Defect } from './defect.ts';
import { answers } from './defects/answers.ts';
import { books } from './defects/books.ts';
import { wire } from './defects/wire.ts';

/** Every member of the zoo: each must be found, by name and with a witness, by `users`. */
export const defects: readonly Defect[] = [...answers, ...books, ...wire];
