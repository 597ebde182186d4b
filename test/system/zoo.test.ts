import { expect, test } from 'vitest';
import { defects } from '#test/zoo/defects.ts';
import { runDefect } from '#test/zoo/run-member.ts';

/** One of each way in which a defect is seeded; the whole zoo takes most of an hour: npm run zoo. */
const members = ['total-a-cent-more', 'neither-stock-nor-ledger', 'price-in-one-answer'];

test.each(members)('the load test finds and names %s', async (name) => {
  const defect = defects.find((one) => one.name === name);
  if (defect === undefined) throw new Error(`there is no ${name}`);
  const { PATH } = process.env;
  const signal = AbortSignal.timeout(170_000);
  const options = { env: { PATH }, signal, durationMs: 4_000, users: 100, commit: 'now', onStage: () => {} };
  const result = await runDefect(defect, options);
  expect(result).toMatchObject({ verdict: 'FAIL', isRight: true });
});
