import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

export type Totals = {
  /** Give it to vitest; it counts. */
  readonly reporter: Reporter;
  /** Each test that passed only when it was played again, with what it had failed by, each skipped one with its reason, then the line of totals. */
  readonly summary: () => string[];
  readonly isSuccess: () => boolean;
};

/**
 * Counts a run of vitest. What vitest does not count as a failed test is counted as one failure each: a file that cannot
 * be loaded, a hook that throws, an error outside any test, a test that did not finish.
 */
export function createTotals(): Totals {
  const count = { passed: 0, failed: 0, skipped: 0 };
  const told: string[] = [];
  const reporter: Reporter = {
    onTestRunEnd: (modules, unhandledErrors, reason) => {
      for (const module of modules) countModule(module, count, told);
      count.failed += unhandledErrors.length;
      if (reason === 'interrupted') count.failed += 1;
    },
  };
  return {
    reporter,
    summary: () => [...told, `${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`],
    isSuccess: () => count.failed === 0 && count.passed > 0,
  };
}

type Count = { passed: number; failed: number; skipped: number };

function countModule(module: TestModule, count: Count, told: string[]): void {
  const nameOf = (test: TestCase): string => `${relative('.', module.moduleId)}: ${test.fullName}`;
  count.failed += module.errors().length;
  for (const suite of module.children.allSuites()) count.failed += suite.errors().length;
  for (const test of module.children.allTests()) {
    const { state, errors = [] } = test.result();
    if (state === 'passed') {
      count.passed += 1;
      if (test.diagnostic()?.flaky) told.push(`passed when played again: ${nameOf(test)}: ${errors[0]?.message.split('\n')[0] ?? ''}`);
    } else if (state !== 'skipped') count.failed += 1;
    else if (!isDeselected(test)) {
      count.skipped += 1;
      told.push(`skipped: ${nameOf(test)}: ${reasonOf(test)}`);
    }
  }
}

/** A test that -t did not select was skipped by whoever ran the tests: that needs no mention. */
function isDeselected(test: TestCase): boolean {
  const pattern = test.project.config.testNamePattern;
  return pattern !== undefined && !pattern.test(test.fullName);
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  if (result.state === 'skipped' && result.note !== undefined) return result.note;
  if (test.options.mode === 'todo') return 'to be written';
  return hasFailedSuite(test) ? 'a hook before it failed' : 'no reason given';
}

function hasFailedSuite(test: TestCase): boolean {
  for (let parent = test.parent; parent.type === 'suite'; parent = parent.parent) if (parent.errors().length > 0) return true;
  return false;
}
