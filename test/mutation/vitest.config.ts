import { defineConfig } from 'vitest/config';
import { subjects } from './subjects.ts';

/** What is broken in this run; set by run.ts. */
const subject = subjects.find(({ name }) => name === process.env['MUTATED_SUBJECT']);

export default defineConfig({
  // Code made to be broken is slower than it is by itself.
  test: { testTimeout: 60_000, include: [...(subject?.tests ?? [])] },
});
