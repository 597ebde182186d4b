import { isAllowed, isRefused, isTimed, medianMs, ofStage, type Recording } from '../exchange.ts';
import { retryAfterSeconds } from '../fields.ts';
import { askAtOnce, askInTurn, fail, unproved, pass, type Check, type Finding, type Matter, type Stage } from '../matter.ts';
import { earlyRefusal } from '../windows.ts';

const restMs = 60;
/** Refused and served requests that are timed in turn. */
const pairs = 40;

/** The limit, as many refusals in the later half of the period, and the limit again once the first is a period old. */
const insist: Stage = {
  name: 'insist',
  clients: 1,
  play: async ({ client, waitUntil, declared: { limit, periodMs } }) => {
    const insisting = await client();
    const spent = await askAtOnce(insisting, limit);
    await waitUntil((spent[0]?.sentMs ?? 0) + 0.6 * periodMs);
    await askInTurn(insisting, beyondOnce(limit));
    await waitUntil(Math.max(...spent.map(({ endedMs }) => endedMs)) + periodMs + restMs);
    await askInTurn(insisting, limit);
  },
};

/** Enough to be seen in the count, if they counted. */
const beyondOnce = (limit: number): number => Math.min(limit, 20);

/** One client that has used up its limit and fresh ones beside it, in turn, so that both meet the same moments. */
const denial: Stage = {
  name: 'denial',
  clients: 2,
  isAlone: true,
  play: async ({ client, declared: { limit } }) => {
    const spent = await client();
    await askAtOnce(spent, limit);
    let fresh = await client();
    for (let asked = 0; asked < Math.min(pairs, 4 * limit); asked += 1) {
      if (asked > 0 && asked % limit === 0) fresh = await client();
      await spent.ask({ note: 'used up' });
      await fresh.ask({ note: 'fresh' });
    }
  },
};

function judgeStatus(recording: Recording): Finding {
  const refused = recording.exchanges.filter((one) => isRefused(recording, one));
  if (refused.length === 0) return fail('nothing was ever refused', ofStage(recording, 'sequence').slice(-2));
  const other = refused.filter(({ answer }) => answer?.status !== 429);
  return other.length > 0 ? fail(`refused with ${other[0]?.answer?.status}`, other) : pass(`all ${refused.length} refusals are 429`);
}

function judgeFree(recording: Recording): Finding {
  const { limit, periodMs } = recording.declared;
  const exchanges = ofStage(recording, 'insist');
  const again = exchanges.slice(-limit);
  const refusedBefore = exchanges.slice(limit, -limit).filter((one) => isRefused(recording, one));
  const spentMs = Math.max(...exchanges.slice(0, limit).map(({ endedMs }) => endedMs));
  const [first] = again;
  if (refusedBefore.length === 0 || first === undefined || (refusedBefore[0]?.sentMs ?? 0) > spentMs + periodMs) {
    return unproved('nothing was refused before the period was over');
  }
  const early = earlyRefusal(recording, exchanges);
  const isLate = (again.at(-1)?.endedMs ?? 0) > (refusedBefore[0]?.sentMs ?? 0) + periodMs;
  if (!early && isLate) return unproved('the client was late in asking again');
  if (!early)
    return pass(`${again.filter((one) => isAllowed(recording, one)).length} of ${limit} allowed after ${refusedBefore.length} refusals`);
  const last = refusedBefore.at(-1);
  // Less the second by which it may have been rounded up.
  const askedBackMs = (last?.sentMs ?? 0) + ((retryAfterSeconds(last?.answer) ?? 0) - 1) * 1_000;
  const witnesses = [...(last ? [last] : []), ...early.slice(0, 1)];
  if (askedBackMs > (early[0]?.sentMs ?? 0)) return pass('refusals cost, and Retry-After says so by how much', witnesses);
  return fail(`refused after ${early.length - 1} of ${limit} in the period before: refusals were counted, and nothing said so`, witnesses);
}

/** A denial that is dearer than what it denies makes an attack easier, not harder. */
function judgeCheap(recording: Recording): Finding {
  const exchanges = ofStage(recording, 'denial').slice(recording.declared.limit);
  const timed = exchanges.filter(isTimed);
  const refused = timed.filter((one) => one.note === 'used up' && isRefused(recording, one));
  const served = timed.filter((one) => one.note === 'fresh' && isAllowed(recording, one));
  if (refused.length < 5 || served.length < 5) {
    return unproved(`${refused.length} refusals and ${served.length} others, while the client was not late, are too few to compare`);
  }
  const [refusedMs, servedMs] = [medianMs(refused), medianMs(served)];
  const says = `refusals take ${refusedMs.toFixed(2)} ms, others ${servedMs.toFixed(2)} ms (medians of ${refused.length} and ${served.length})`;
  return refusedMs <= 1.5 * servedMs + 1 ? pass(says) : fail(says, refused);
}

function judgeNoErrors(recording: Recording): Finding {
  const asked = recording.exchanges.filter(({ stage }) => !stage.startsWith('store'));
  const errors = asked.filter((one) => (one.answer?.status ?? 0) >= 500 && !isRefused(recording, one));
  if (errors.length > 0) return fail(`answered ${errors[0]?.answer?.status}`, errors);
  const broken = asked.filter(({ failure }) => failure?.kind === 'connection');
  if (broken.length > 0) return fail(`no answer: ${broken[0]?.failure?.detail}`, broken);
  return pass(`${asked.length} requests, no 5xx and no broken connection`);
}

function judgeNoHang(recording: Recording): Finding {
  const hung = recording.exchanges.filter(({ stage, failure }) => failure?.kind === 'timeout' && !stage.startsWith('store'));
  if (hung.length === 0) return pass('every request was answered in time');
  const late = hung.filter((one) => one.lateMs > 0.5 * (one.endedMs - one.sentMs));
  return late.length === hung.length
    ? unproved('requests timed out while the client itself stood still', hung)
    : fail('no answer in time', hung);
}

const checks: readonly Check[] = [
  { id: 'refusal-status', clause: 'RFC 6585 §4', title: 'Refusals are 429', stages: ['sequence'], judge: judgeStatus },
  {
    id: 'refusals-free',
    clause: 'L1',
    title: 'Refused requests cost nothing of the quota, or Retry-After says how much',
    stages: ['insist'],
    judge: judgeFree,
  },
  {
    id: 'denial-cheap',
    clause: 'L10',
    title: 'A refusal takes no longer than an answer (half as long again, and 1 ms, are allowed)',
    stages: ['denial'],
    judge: judgeCheap,
  },
  {
    id: 'no-server-error',
    clause: 'L9',
    title: 'No request ends in a 5xx or a broken connection',
    stages: ['sequence', 'burst'],
    judge: judgeNoErrors,
  },
  { id: 'no-hang', clause: 'L9', title: 'No request stays without an answer', stages: ['sequence', 'burst'], judge: judgeNoHang },
];

export const refusals: Matter = { stages: [insist, denial], checks };
