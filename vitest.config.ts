import { defineConfig } from 'vitest/config';
import { compiledOnce, noLocalStack } from './test/support/clean-environment.ts';

/** Of what meets processes, sockets and clocks: a machine that is held up for seconds is no finding. Each such test is named at the end. */
const retry = 1;

export default defineConfig({
  test: {
    // A stack that runs in this checkout is none of the tests' business.
    env: { LOCAL_DATA_DIR: noLocalStack, ...compiledOnce },
    // The second that is usual passes before a page or a process has done anything, on a machine that is held up.
    expect: { poll: { timeout: 15_000 } },
    projects: [
      // Some hash passwords or check thousands of cases, which a busy machine may stretch.
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 30_000 } },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/support/start-postgres.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          retry,
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          retry,
          // Each of these starts a whole stack; side by side they would only measure each other.
          fileParallelism: false,
        },
      },
    ],
    // Most of a test's time is waiting for processes to start, time out or stop: more at once than there are cores.
    maxWorkers: 3,
  },
});
