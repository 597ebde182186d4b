import { defineConfig } from 'vitest/config';
import { subjects } from './subjects.ts';

/** The subjects of this run, by name; set by run.ts. */
const names = (process.env['MUTATED_SUBJECTS'] ?? '').split(',');

export default defineConfig({
  // Code made to be broken is slower than it is by itself.
  test: { testTimeout: 60_000, include: [...new Set(subjects.filter(({ name }) => names.includes(name)).flatMap(({ tests }) => tests))] },
});
