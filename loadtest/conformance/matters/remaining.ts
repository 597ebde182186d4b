import { byTrial, isAllowed, isRefused, latestMs, ofStage, type Declared, type Exchange, type Recording } from '../exchange.ts';
import { oldFields, oldReset, told, type Told } from '../fields.ts';
import { fail, lacking, unproved, notSupported, pass, type Check, type Client, type Finding, type Matter, type Stage } from '../matter.ts';
import { isWithinPeriod } from '../windows.ts';

const nothingTold = 'answers do not tell what is left';
const tookTooLong = 'what was asked took longer than a period';

/** Until nothing is left, or the first refusal; then as long as the last answer said, and once more. */
const afterReset: Stage = {
  name: 'reset',
  clients: 1,
  play: async ({ client, waitUntil, declared }) => {
    const waiting = await client();
    const last = await useUp(waiting, declared.limit, (one) => told(one.answer, declared)?.remaining === 0);
    const seconds = told(last?.answer, declared)?.resetSeconds;
    if (last === undefined || seconds === undefined || seconds * 1_000 > 2 * declared.periodMs + 1_000) return;
    await waitUntil(last.endedMs + seconds * 1_000);
    await waiting.ask();
  },
};

async function useUp(client: Client, limit: number, isUsedUp: (one: Exchange) => boolean): Promise<Exchange | undefined> {
  for (let asked = 0; asked < limit; asked += 1) {
    const one = await client.ask();
    if (isUsedUp(one)) return one;
  }
  return undefined;
}

type Step = { readonly exchange: Exchange; readonly said: Told };

const stepsOf = (recording: Recording, exchanges: readonly Exchange[]): Step[] =>
  exchanges.flatMap((exchange) => {
    const said = isAllowed(recording, exchange) ? told(exchange.answer, recording.declared) : undefined;
    return said ? [{ exchange, said }] : [];
  });

function judgeSteps(recording: Recording): Finding {
  const exchanges = ofStage(recording, 'sequence');
  const steps = stepsOf(recording, exchanges);
  const [first] = steps;
  const allowed = exchanges.filter((one) => isAllowed(recording, one));
  if (first === undefined) return allowed.length === 0 ? notSupported(nothingTold) : lacking(recording, nothingTold, allowed);
  if (!isWithinPeriod(recording, exchanges)) return unproved(tookTooLong);
  const { limit } = recording.declared;
  if (first.said.remaining !== limit - 1) {
    return fail(`${first.said.remaining} left after the first of ${limit}, not ${limit - 1}`, [first.exchange]);
  }
  const wrong = steps.findIndex(({ said }, i) => i > 0 && said.remaining !== (steps[i - 1] as Step).said.remaining - 1);
  const [before, after] = [steps[wrong - 1], steps[wrong]];
  if (before === undefined || after === undefined) return pass(`${steps.length} steps of one, told in ${first.said.field}`);
  return fail(`${after.said.remaining} left after ${before.said.remaining}`, [before.exchange, after.exchange]);
}

function judgeAtOnce(recording: Recording): Finding {
  const { limit } = recording.declared;
  const trials = byTrial(ofStage(recording, 'burst'));
  for (const exchanges of trials) {
    const left = stepsOf(recording, exchanges).map(({ said }) => said.remaining);
    if (left.length === 0) return notSupported(nothingTold);
    if (!isWithinPeriod(recording, exchanges)) return unproved(tookTooLong);
    const wanted = Array.from({ length: limit }, (_, i) => limit - 1 - i);
    const twice = left.find((one, i) => left.indexOf(one) !== i);
    const missing = wanted.find((one) => !left.includes(one));
    if (twice === undefined && missing === undefined && left.length === limit) continue;
    const what = twice === undefined ? `${missing ?? Math.max(...left)} was never told` : `${twice} was told more than once`;
    const witnesses = exchanges.filter((one) => twice !== undefined && told(one.answer, recording.declared)?.remaining === twice);
    return fail(`of ${limit - 1} … 0 ${what}`, witnesses);
  }
  return pass(`each of ${limit - 1} … 0 told once, ${trials.length} times over`);
}

/** Zero on the last allowed and on every refusal, and not before. */
function judgeZero(recording: Recording): Finding {
  const exchanges = ofStage(recording, 'sequence');
  const steps = stepsOf(recording, exchanges);
  const last = steps.at(-1);
  if (last === undefined) return notSupported(nothingTold);
  if (!isWithinPeriod(recording, exchanges)) return unproved(tookTooLong);
  const early = steps.find((step) => step !== last && step.said.remaining === 0);
  if (early) return fail('nothing left was told, and the next request was allowed', [early.exchange, last.exchange]);
  const refused = exchanges.filter((one) => isRefused(recording, one));
  const hopeful = refused.find((one) => (told(one.answer, recording.declared)?.remaining ?? 0) > 0);
  if (hopeful) return fail('a refusal tells that something is left', [hopeful]);
  if (refused.length > 0 && last.said.remaining !== 0) {
    return fail(`${last.said.remaining} left on the last that was allowed`, [last.exchange, ...refused.slice(0, 1)]);
  }
  return pass('0 on the last that was allowed');
}

function judgeBounds(recording: Recording): Finding {
  const { declared } = recording;
  const { periodMs } = declared;
  const most = Math.ceil(periodMs / 1_000) + 1;
  const answered = recording.exchanges.filter(({ answer }) => told(answer, declared)?.resetSeconds !== undefined);
  if (answered.length === 0) return notSupported('answers do not tell when more is available');
  const late = answered.filter(({ answer }) => (told(answer, declared)?.resetSeconds ?? 0) > most);
  if (late.length > 0) return fail(`more than ${most} s until a reset, the period is ${periodMs / 1_000} s`, late);
  const never = answered.filter((one) => isRefused(recording, one) && (told(one.answer, declared)?.resetSeconds ?? 1) <= 0);
  if (never.length > 0) return fail('refused, and told that more is available in 0 s', never);
  return pass(`1 to ${most} s where nothing is left`);
}

function judgeReset(recording: Recording): Finding {
  const exchanges = ofStage(recording, 'reset');
  const last = exchanges.at(-1);
  const spent = exchanges.at(-2);
  const said = told(spent?.answer, recording.declared);
  if (last === undefined || spent === undefined || said?.resetSeconds === undefined || said.remaining !== 0) {
    return notSupported('answers do not tell, before they refuse, that nothing is left and until when');
  }
  if (last.sentMs < spent.endedMs + said.resetSeconds * 1_000) return notSupported('nothing was asked after the reset that was told');
  if (isRefused(recording, last))
    return fail(`refused ${said.resetSeconds} s after "nothing left for ${said.resetSeconds} s"`, [spent, last]);
  if (last.endedMs > spent.sentMs + said.resetSeconds * 1_000 + latestMs) return unproved('the client was late in asking again', [last]);
  return pass(`allowed ${said.resetSeconds} s after "nothing left for ${said.resetSeconds} s"`);
}

function judgeOldFields(recording: Recording): Finding {
  const sent = recording.exchanges.filter(
    (one) => isOfDeclaredPath(recording, one) && oldFields.some((prefix) => one.answer?.fields[`${prefix}-limit`] !== undefined),
  );
  if (sent.length === 0) return lacking(recording, 'none of the older fields is sent', recording.exchanges);
  const wrong = sent.filter((one) => disagreement(one, recording.declared) !== undefined);
  const [first] = wrong;
  return first ? fail(disagreement(first, recording.declared) ?? '', wrong) : pass(`${sent.length} answers agree`);
}

/** What stands in the older fields against RateLimit, the declared limit and each other; undefined when all agree. */
function disagreement({ answer }: Exchange, declared: Declared): string | undefined {
  const said = told(answer, declared);
  for (const prefix of oldFields) {
    const [limit, left] = [answer?.fields[`${prefix}-limit`], answer?.fields[`${prefix}-remaining`]];
    if (answer === undefined || limit === undefined) continue;
    const reset = oldReset(answer.fields, prefix);
    // Some drafts let the limit be followed by its policies.
    if (Number(limit.split(',')[0]) !== declared.limit) return `${prefix}-limit is ${limit}, the limit is ${declared.limit}`;
    if (left !== undefined && said && Number(left) !== said.remaining) {
      return `${prefix}-remaining is ${left}, ${said.field} tells ${said.remaining}`;
    }
    if (reset !== undefined && said?.resetSeconds !== undefined && Math.abs(reset - said.resetSeconds) > 1) {
      return `${prefix}-reset means ${reset} s, ${said.field} tells ${said.resetSeconds} s`;
    }
  }
  return undefined;
}

/** Other paths and methods may have limits of their own. */
const isOfDeclaredPath = ({ declared }: Recording, { method, path }: Exchange): boolean =>
  method === declared.method && path === declared.path;

const checks: readonly Check[] = [
  {
    id: 'remaining-steps',
    clause: 'L5, draft-11 §4.1.1',
    title: 'What is left begins at the limit less one and falls by one with each request',
    stages: ['sequence'],
    judge: judgeSteps,
  },
  {
    id: 'remaining-at-once',
    clause: 'L5, draft-11 §4.1.1',
    title: 'Of requests at once each is told another number, from the limit less one to 0',
    stages: ['burst'],
    judge: judgeAtOnce,
  },
  {
    id: 'remaining-zero',
    clause: 'L5, draft-11 §4.1.1',
    title: '0 is left on the last request that is allowed and on refusals, and not before',
    stages: ['sequence'],
    judge: judgeZero,
  },
  {
    id: 'reset-bounds',
    clause: 'draft-11 §4.1.2',
    title: 'The time until more is available is no longer than the period, and never 0 on a refusal',
    stages: ['sequence', 'burst'],
    judge: judgeBounds,
  },
  {
    id: 'reset-honest',
    clause: 'draft-11 §4.1.2, L4',
    title: 'Whoever waits as long as "nothing is left" was told for is not refused',
    stages: ['reset'],
    judge: judgeReset,
  },
  {
    id: 'older-fields-agree',
    clause: 'L6',
    title: 'X-RateLimit-* and RateLimit-Limit, -Remaining, -Reset, where they are sent, agree with limit and RateLimit',
    stages: ['sequence', 'burst'],
    judge: judgeOldFields,
  },
];

export const remaining: Matter = { stages: [afterReset], checks };
