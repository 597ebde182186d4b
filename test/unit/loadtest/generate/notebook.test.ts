import { expect, test } from 'vitest';
import type { Received } from '#loadtest/generate/connection.ts';
import { createNotebook } from '#loadtest/generate/notebook.ts';
import type { Ruling, Step, User } from '#loadtest/generate/step.ts';
import { decodeHistogram } from '#loadtest/measurement/histogram.ts';

const step: Step = { endpoint: 'GET /x', method: 'GET', path: '/x', headers: {} };
const userWho = (ruling: Ruling): User => ({ next: () => step, answered: () => ruling, unanswered: () => {} });
const received = (ms: number, headers: Received['headers'] = {}): Received => ({ status: 200, body: '{"a":1}', headers, ms });

/** A notebook and its clock, which stands still until it is set. */
function notebookAt(startSecond = 0, warmUpMs = 2_000) {
  let nowMs = 0;
  const notebook = createNotebook({ startSecond, warmUpMs, isRehearsal: false, now: () => nowMs });
  return { notebook, setMs: (ms: number) => (nowMs = ms) };
}

test("the server's own timings, the slowest answers and the lag are kept from the end of warm-up on", () => {
  const { notebook, setMs } = notebookAt();
  const user = userWho({ outcome: 'ok' });
  for (const atMs of [0, 1_999, 2_000, 3_500]) {
    setMs(atMs);
    notebook.answered(user, step, received(atMs === 0 ? 900 : 5, { 'server-timing': 'db;dur=3' }));
    notebook.sentLate(7);
  }
  const { serverTimings, outsideServer, slowest, sendLag } = notebook.close();
  expect(serverTimings.reduce((sum, { count }) => sum + count, 0)).toBe(2);
  expect(decodeHistogram(outsideServer).totalCount).toBe(2);
  expect(decodeHistogram(sendLag).totalCount).toBe(2);
  expect(slowest.map(({ second, latencyMs }) => [second, latencyMs])).toEqual([
    [2, 5],
    [3, 5],
  ]);
});

test('seconds are counted on from the phases before', () => {
  const { notebook, setMs } = notebookAt(40);
  setMs(1_200);
  notebook.sent(userWho({ outcome: 'ok' }), step);
  notebook.answered(userWho({ outcome: 'ok' }), step, received(5));
  expect(notebook.close().slices.map(({ second, ok }) => [second, ok])).toEqual([[41, 1]]);
});

test('what went wrong is told with its witnesses: what it is about, who answered, what was received, no secret', () => {
  const { notebook } = notebookAt();
  const user = userWho({
    outcome: 'wrong-answer',
    fault: 'order-total',
    says: 'total is 9.99, expected 10.00',
    about: { order: 17, key: 'k-1' },
  });
  const answer = { ...received(12, { 'x-request-id': 'r-1' }), body: '{"id_key":17,"access_token":"abc.def.ghi"}' };
  for (let i = 0; i < 9; i += 1) notebook.answered(user, step, answer);
  const [kind] = notebook.close().failures;
  expect(kind).toMatchObject({ endpoint: 'GET /x', outcome: 'wrong-answer', fault: 'order-total', status: 200, count: 9 });
  expect(kind?.witnesses).toHaveLength(3);
  expect(kind?.witnesses[0]).toMatchObject({
    says: 'total is 9.99, expected 10.00',
    about: { order: 17, key: 'k-1' },
    requestId: 'r-1',
    latencyMs: 12,
  });
  expect(kind?.witnesses[0]?.received).toMatch(/^\{"id_key":17/);
  expect(JSON.stringify(kind)).not.toContain('abc.def');
});

test('a 429 within the quota it names is an error of the limiter, one over it a limit', () => {
  const { notebook } = notebookAt();
  const user = userWho({ outcome: 'limited' });
  const limited = { ...received(1, { 'ratelimit-policy': '"loadtest";q=3;w=60' }), status: 429 };
  for (let i = 0; i < 5; i += 1) {
    notebook.sent(user, step);
    notebook.answered(user, step, limited);
  }
  const { slices, failures } = notebook.close();
  expect(slices).toMatchObject([{ httpErrors: 3, limited: 2 }]);
  expect(failures.find(({ outcome }) => outcome === 'http-error')).toMatchObject({
    status: 429,
    fault: '429 within the quota "loadtest" of 3 in 60 s',
  });
});

test('and of users whom the target cannot tell apart always a limit: all of them together may be over it', () => {
  const { notebook } = notebookAt();
  const user = { ...userWho({ outcome: 'limited' }), hasOwnQuota: false } as const;
  notebook.sent(user, step);
  notebook.answered(user, step, { ...received(1, { 'ratelimit-policy': '"default";q=3;w=60' }), status: 429 });
  expect(notebook.close().slices).toMatchObject([{ httpErrors: 0, limited: 1 }]);
});

test('what a user keeps secret is hidden in what was received, whole or broken off, before it is cut', () => {
  const { notebook } = notebookAt();
  const secret = 'hush-4711';
  const user: User = { ...userWho({ outcome: 'wrong-answer', fault: 'x' }), hide: (text) => text.replaceAll(secret, '(hidden)') };
  const body = `${'-'.repeat(155)}${secret}`;
  notebook.answered(user, step, { ...received(1), body });
  notebook.failed(user, step, { kind: 'broken-answer', ms: 5, detail: 'cut', status: 200, requestId: undefined, received: body });
  const { failures } = notebook.close();
  expect(failures.flatMap(({ witnesses }) => witnesses.map((witness) => witness.received))).toHaveLength(2);
  expect(JSON.stringify(failures)).not.toContain('hush');
});

test('an answer that broke off is a wrong answer, one that never began is none', () => {
  const { notebook } = notebookAt();
  const user = userWho({ outcome: 'ok' });
  notebook.failed(user, step, { kind: 'broken-answer', ms: 5, detail: 'cut short', status: 200, requestId: 'r-1', received: '{"id' });
  notebook.failed(user, step, { kind: 'connection-error', ms: 5, detail: 'ECONNRESET' });
  notebook.failed(user, step, { kind: 'timeout', ms: 1_000, detail: 'no complete answer in time' });
  expect(notebook.close().slices).toMatchObject([{ wrongAnswers: 1, connectionErrors: 1, timeouts: 1 }]);
});
