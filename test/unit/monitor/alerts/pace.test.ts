import { describe, expect, test } from 'vitest';
import type { DeliveryFailure } from '#monitor/alerts/channel.ts';
import { judgeAnswer } from '#monitor/alerts/channels/slack.ts';
import { judgeSmtpFailure } from '#monitor/alerts/channels/smtp-failure.ts';
import type { QueuedMessage } from '#monitor/alerts/outbox.ts';
import { afterFailure, brokenSince, freshPace, paceAfterSuccess, type Pace } from '#monitor/alerts/pace.ts';
import { buildAlert } from './outbox-world.ts';

const now = { at: 50_000_000, clockMs: 1_000 };
const circumstances = { now, backoff: { firstDelayMs: 1_000, maxDelayMs: 300_000 }, random: 0, minSpacingMs: 1_000 };
const message: QueuedMessage = {
  channel: 'slack',
  alert: buildAlert('a', 'firing', 0),
  state: 'pending',
  attempts: 1,
  refusals: 0,
  isUncertain: false,
  lastError: undefined,
  settledAt: undefined,
  notBeforeMs: 0,
};
const failure = (changes: Partial<DeliveryFailure>): DeliveryFailure => ({
  channel: 'slack',
  detail: 'no',
  scope: 'channel',
  isLasting: false,
  ...changes,
});
const after = (changes: Partial<DeliveryFailure>, pace: Pace = freshPace, of: QueuedMessage = message) =>
  afterFailure(pace, of, failure(changes), circumstances);

describe('a failure', () => {
  test.each([
    ['4 s at most where nothing can have arrived, since people wait', false, 4_000],
    ['the longest wait at most where it may have arrived, since each try may be one message more', true, 300_000],
  ])('of the channel puts everything off, longer each time, and counts against no message: %s', (_name, mayHaveArrived, longestMs) => {
    const first = after({ mayHaveArrived });
    expect(first.pace.notBeforeMs - now.clockMs).toBe(1_000);
    const tenth = Array.from({ length: 9 }).reduce<Pace>((pace) => after({ mayHaveArrived }, pace).pace, first.pace);
    expect(tenth.notBeforeMs - now.clockMs).toBe(longestMs);
    expect(first.outcome).toMatchObject({ state: 'pending', refusals: 0, notBeforeMs: 0, lastError: 'no' });
  });

  test('of a message puts off only that one', () => {
    const { pace, outcome } = after({ scope: 'message' }, freshPace, { ...message, refusals: 3 });
    expect(pace.notBeforeMs - now.clockMs).toBe(circumstances.minSpacingMs);
    expect(outcome).toMatchObject({ state: 'pending', refusals: 4, notBeforeMs: now.clockMs + 8_000 });
  });

  test('that only people can mend is tried again after minutes, never given up at once', () => {
    const { pace, outcome } = after({ isLasting: true });
    expect(outcome.state).toBe('pending');
    expect(pace.notBeforeMs - now.clockMs).toBe(300_000);
  });

  test('believes a Retry-After, but for no longer than a quarter of an hour', () => {
    expect(after({ retryAfterMs: 120_000 }).pace.notBeforeMs - now.clockMs).toBe(120_000);
    expect(after({ retryAfterMs: 86_400_000 }).pace.notBeforeMs - now.clockMs).toBe(900_000);
  });

  test.each([
    ['forty refusals that may pass', false, 39],
    ['six that last', true, 5],
  ])('sets a message aside after %s, and not before', (_, isLasting, refusals) => {
    const outcomeOf = (count: number) => after({ scope: 'message', isLasting }, freshPace, { ...message, refusals: count }).outcome.state;
    expect(outcomeOf(refusals - 1)).toBe('pending');
    expect(outcomeOf(refusals)).toBe('failed');
  });

  test('after which nobody knows whether it arrived is remembered, also over a later refusal', () => {
    expect(after({}).outcome.isUncertain).toBe(false);
    expect(after({ mayHaveArrived: true }).outcome.isUncertain).toBe(true);
    expect(after({}, freshPace, { ...message, isUncertain: true }).outcome.isUncertain).toBe(true);
  });
});

describe('a channel', () => {
  test('is broken at once when only people can mend it, and after ten minutes without any acceptance', () => {
    const later = { at: now.at + 600_000, clockMs: now.clockMs + 600_000 };
    expect(brokenSince(after({ isLasting: true }).pace, now)).toBe(now.at);
    expect(brokenSince(after({}).pace, now)).toBeUndefined();
    expect(brokenSince(after({}).pace, { ...later, clockMs: later.clockMs - 1 })).toBeUndefined();
    expect(brokenSince(after({ scope: 'message' }).pace, later)).toBe(now.at);
  });

  test('is well again at its first acceptance', () => {
    expect(brokenSince(paceAfterSuccess(now, 0), now)).toBeUndefined();
    expect(paceAfterSuccess(now, 1_000)).toMatchObject({ failures: 0, lastError: undefined, notBeforeMs: now.clockMs + 1_000 });
  });

  test('has accepted nothing before its first acceptance, and keeps having done so through later failures', () => {
    expect(after({}).pace.hasAccepted).toBe(false);
    expect(after({}, paceAfterSuccess(now, 0)).pace.hasAccepted).toBe(true);
  });

  test('is judged by the steady clock, whatever happens to the other', () => {
    expect(brokenSince(after({}).pace, { at: now.at + 31_536_000_000, clockMs: now.clockMs + 1_000 })).toBeUndefined();
  });
});

test.each([
  [302, '', 'channel', true],
  [400, 'invalid_blocks', 'message', true],
  [403, 'invalid_token', 'channel', true],
  [404, 'no_service', 'channel', true],
  [408, '', 'channel', false],
  [410, 'channel_is_archived', 'channel', true],
  [413, '', 'message', true],
  [429, '', 'channel', false],
  [500, '', 'channel', false],
  [503, 'rollup_error', 'channel', false],
] as const)('Slack answering %i %s concerns the %s; lasting: %s', (status, body, scope, isLasting) => {
  const judged = judgeAnswer({ status, retryAfter: '7' }, Object.assign(new Error('no'), { body }), 0);
  expect(judged).toMatchObject({ scope, isLasting, retryAfterMs: 7_000 });
  expect(judged.detail).toBe(`HTTP ${status}${body === '' ? '' : ` (${body})`}`);
});

test.each([
  ['greylisted recipient', 'RCPT TO', '450 4.7.1 greylisted', 'message', false],
  ['greylisted sender', 'MAIL FROM', '451 4.7.1 try again later', 'message', false],
  ['deferred data', 'DATA', '451 4.3.0 try again', 'channel', false],
  ['full mailbox', 'RCPT TO', '452 4.2.2 over quota', 'message', false],
  ['greylisting behind a 5xx', 'RCPT TO', '550 4.7.1 greylisted, come back', 'message', false],
  ['server that closes', 'MAIL FROM', '421 4.3.2 shutting down', 'channel', false],
  ['unknown recipient', 'RCPT TO', '550 5.1.1 no such user', 'channel', true],
  ['refused sender', 'MAIL FROM', '553 5.7.1 not your address', 'channel', true],
  ['refused content', 'DATA', '554 5.7.1 looks like spam', 'message', true],
  ['wrong password', 'AUTH PLAIN', '535 5.7.8 bad credentials', 'channel', true],
  ['login put off', 'AUTH PLAIN', '454 4.7.0 temporary failure', 'channel', false],
  ['server that wants none of us', 'CONN', '554 no SMTP service here', 'channel', true],
] as const)('by mail, a %s (%s: %s) concerns the %s; lasting: %s', (_, command, response, scope, isLasting) => {
  const err = Object.assign(new Error(response), { command, response, responseCode: Number(response.slice(0, 3)), code: 'EENVELOPE' });
  expect(judgeSmtpFailure(err, 'email')).toMatchObject({ scope, isLasting });
});

test.each([
  ['ESOCKET', 'ECONNREFUSED', false],
  ['ETIMEDOUT', undefined, true],
  ['ECONNECTION', undefined, true],
])('by mail, %s (%s) passes; may have arrived: %s', (code, originalCode, mayHaveArrived) => {
  const judged = judgeSmtpFailure(Object.assign(new Error('no answer'), { code, originalCode }), 'email');
  expect(judged).toMatchObject({ scope: 'channel', isLasting: false, mayHaveArrived });
});
