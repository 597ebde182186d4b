import { isRefused, type Exchange, type Recording } from '../exchange.ts';
import { isWhole, readList, retryAfterSeconds } from '../fields.ts';
import { fail, invalid, lacking, notSupported, pass, type Check, type Finding, type Matter } from '../matter.ts';

const refusedOf = (recording: Recording): readonly Exchange[] => recording.exchanges.filter((one) => isRefused(recording, one));
const nothingRefused = 'nothing was refused';
const notSent = 'refusals carry no Retry-After';
/** Judges the Retry-After of every refusal that has one. */
const judgeEach =
  (problem: (exchange: Exchange, recording: Recording) => string | undefined, good: string) =>
  (recording: Recording): Finding => {
    const refused = refusedOf(recording);
    if (refused.length === 0) return invalid(nothingRefused);
    const sent = refused.filter(({ answer }) => answer?.fields['retry-after'] !== undefined);
    if (sent.length === 0) return lacking(recording, notSent, refused);
    const wrong = sent.filter((one) => problem(one, recording) !== undefined);
    const [first] = wrong;
    return first ? fail(problem(first, recording) ?? '', wrong) : pass(`${sent.length} refusals: ${good}`);
  };

function judgePresent(recording: Recording): Finding {
  const refused = refusedOf(recording);
  if (refused.length === 0) return invalid(nothingRefused);
  const without = refused.filter(({ answer }) => answer?.fields['retry-after'] === undefined);
  if (without.length === refused.length) return lacking(recording, notSent, refused);
  if (without.length > 0) return fail(`${without.length} of ${refused.length} refusals carry no Retry-After`, without);
  return pass(`on all ${refused.length} refusals`);
}

/** @returns the longest effective window that an answer tells */
function longestReset(exchange: Exchange): number | undefined {
  const resets = readList(exchange.answer?.fields['ratelimit'] ?? '')
    ?.filter(({ parameters }) => parameters.get('r') === 0)
    .flatMap(({ parameters }) => {
      const reset = parameters.get('t');
      return isWhole(reset, 0) ? [reset] : [];
    });
  return resets === undefined || resets.length === 0 ? undefined : Math.max(...resets);
}

function judgeCoversReset(recording: Recording): Finding {
  const both = refusedOf(recording).filter((one) => retryAfterSeconds(one.answer) !== undefined && longestReset(one) !== undefined);
  if (both.length === 0) return notSupported('no refusal carries both Retry-After and RateLimit with t');
  const early = both.filter((one) => (retryAfterSeconds(one.answer) ?? 0) < (longestReset(one) ?? 0));
  const [first] = early;
  if (first) return fail(`Retry-After is ${retryAfterSeconds(first.answer)} s, t is ${longestReset(first)} s`, early);
  return pass(`${both.length} refusals: Retry-After ≥ t`);
}

const check = (id: string, clause: string, title: string, stages: readonly string[], judge: Check['judge']): Check => ({
  id,
  clause,
  title,
  stages,
  judge,
});

const checks: readonly Check[] = [
  check('retry-after-sent', 'RFC 6585 §4, L4', 'Every refusal says when to ask again', ['sequence', 'burst'], judgePresent),
  check(
    'retry-after-syntax',
    'RFC 9110 §10.2.3',
    'Retry-After is a whole number of seconds, or a date',
    ['sequence', 'burst'],
    judgeEach(
      ({ answer }) => (retryAfterSeconds(answer) === undefined ? `Retry-After is "${answer?.fields['retry-after']}"` : undefined),
      'seconds or a date',
    ),
  ),
  check(
    'retry-after-least',
    'L4',
    'Retry-After is at least one second: 0 asks to be asked again at once',
    ['sequence', 'burst'],
    judgeEach(
      ({ answer }) => ((retryAfterSeconds(answer) ?? 1) < 1 ? `Retry-After is "${answer?.fields['retry-after']}"` : undefined),
      '≥ 1 s',
    ),
  ),
  check(
    'retry-after-bounds',
    'L4',
    'Retry-After is no longer than a period, rounded up',
    ['sequence', 'burst'],
    judgeEach(
      ({ answer }, { declared: { periodMs } }) =>
        (retryAfterSeconds(answer) ?? 0) > Math.ceil(periodMs / 1_000) + 1
          ? `Retry-After is ${answer?.fields['retry-after']} s, the period ${periodMs / 1_000} s`
          : undefined,
      'no longer than a period',
    ),
  ),
  check(
    'retry-after-covers-t',
    'draft-11 §6',
    'Retry-After does not end before the effective window of a policy that is used up',
    ['sequence', 'burst'],
    judgeCoversReset,
  ),
];

export const retryAfter: Matter = { stages: [], checks };
