import { byTrial, isAllowed, isRefused, ofStage, type Exchange, type Recording } from '../exchange.ts';
import { askAtOnce, askInTurn, fail, unproved, pass, type Check, type Finding, type Matter, type Player, type Stage } from '../matter.ts';
import { countOf, earlyRefusal, fullestWindow, isWithinPeriod, overfullWindow } from '../windows.ts';

/** Refusals asked for beyond the limit: enough to see that they are refusals all. */
export const beyond = (limit: number): number => Math.min(limit, 10);

const tookTooLong = 'what was asked took longer than a period';
const trials = 5;
/** How long before and after the end of a period the boundary is pressed. */
const edgeMs = 60;
const pollMs = 25;
/** The share of the limit that a steady client uses. */
const steadyShare = 0.9;

const sequence: Stage = {
  name: 'sequence',
  clients: 1,
  play: async ({ client, declared: { limit } }) => void (await askInTurn(await client(), limit + beyond(limit))),
};

const burst: Stage = {
  name: 'burst',
  clients: 1,
  play: async ({ client, declared: { limit } }) => {
    for (let trial = 0; trial < trials; trial += 1) await askAtOnce(await client(), 2 * limit, { note: `trial ${trial}` });
  },
};

/** One request at the begin of a period, the rest of the limit just before its end, and all of it again just after. */
const boundary: Stage = {
  name: 'boundary',
  clients: 1,
  play: async (player) => {
    const { client, waitUntil, declared } = player;
    const pressing = await client();
    const spent = await askAtOnce(pressing, declared.limit);
    const first = await firstAfter(player, () => pressing.ask(), Math.max(...spent.map(({ endedMs }) => endedMs)));
    await waitUntil(first.sentMs + declared.periodMs - edgeMs);
    await askAtOnce(pressing, declared.limit - 1);
    await waitUntil(first.endedMs + declared.periodMs + edgeMs / 2);
    await askAtOnce(pressing, declared.limit);
  },
};

/** The first request that is allowed again: a period begins there, if the target has periods. */
async function firstAfter({ declared, now, waitUntil }: Player, ask: () => Promise<Exchange>, spentMs: number): Promise<Exchange> {
  for (const endsMs = spentMs + 1.2 * declared.periodMs; now() < endsMs; await waitUntil(now() + pollMs)) {
    const one = await ask();
    if (one.answer !== undefined && one.answer.status < 400) return one;
  }
  await waitUntil(now() + 1.2 * declared.periodMs);
  return ask();
}

/** The whole limit, a period of rest, and the whole limit again. */
const comeback: Stage = {
  name: 'return',
  clients: 1,
  play: async ({ client, waitUntil, declared: { limit, periodMs } }) => {
    const returning = await client();
    const spent = await askAtOnce(returning, limit);
    await waitUntil(Math.max(...spent.map(({ endedMs }) => endedMs)) + periodMs + edgeMs);
    await askInTurn(returning, limit);
  },
};

const steady: Stage = {
  name: 'steady',
  clients: 1,
  play: async ({ client, now, waitUntil, declared: { limit, periodMs } }) => {
    const calm = await client();
    const startedMs = now();
    const everyMs = periodMs / (limit * steadyShare);
    for (let sent = 0; sent * everyMs < 2.2 * periodMs; sent += 1) {
      await waitUntil(startedMs + sent * everyMs);
      await calm.ask();
    }
  },
};

/** Exactly the limit, for each client that asked. */
function judgeCounts(recording: Recording, clients: readonly (readonly Exchange[])[]): Finding {
  const counts = clients.map((exchanges) => countOf(recording, exchanges));
  const allowed = counts.map((count) => count.allowed).join(', ');
  const wrong = counts.find((count) => count.wrong !== undefined)?.wrong;
  if (wrong) return fail(`${wrong.says}; allowed: ${allowed}, limit ${recording.declared.limit}`, wrong.witnesses);
  const sharp = counts.filter(({ isSharp }) => isSharp).length;
  if (sharp === 0) return unproved(`${tookTooLong}, so that more than the limit may be right; use a longer period`);
  return pass(`allowed: ${allowed} of ${clients.map(({ length }) => length).join(', ')}`);
}

function judgeBoundary(recording: Recording): Finding {
  const { limit, periodMs, windows } = recording.declared;
  const exchanges = ofStage(recording, 'boundary');
  const allowed = exchanges.filter((one) => isAllowed(recording, one));
  const most = windows === 'sliding' ? limit : 2 * limit;
  const over = overfullWindow(allowed, most, periodMs);
  const spanMs = over && Math.max(...over.map(({ endedMs }) => endedMs)) - Math.min(...over.map(({ sentMs }) => sentMs));
  if (over && spanMs !== undefined) {
    return fail(`${over.length} allowed within ${Math.ceil(spanMs)} ms; ${most} are allowed in any ${periodMs / 1_000} s`, [
      ...over.slice(0, 1),
      ...over.slice(limit),
    ]);
  }
  if (!isPressed(recording, exchanges)) return unproved('the boundary was not pressed: the client was late');
  return pass(`at most ${fullestWindow(allowed, periodMs).length} allowed within ${periodMs / 1_000} s`);
}

/** Whether all but one of the limit were counted before a period that began with the first had ended, and all after it soon. */
function isPressed(recording: Recording, exchanges: readonly Exchange[]): boolean {
  const { limit, periodMs } = recording.declared;
  const [first, pressed] = [exchanges.at(-2 * limit), exchanges.slice(1 - 2 * limit)];
  const isInTime = pressed.slice(0, limit - 1).every(({ endedMs }) => endedMs < (first?.sentMs ?? 0) + periodMs);
  return isInTime && isWithinPeriod(recording, pressed);
}

function judgeReturn(recording: Recording): Finding {
  const exchanges = ofStage(recording, 'return');
  const early = earlyRefusal(recording, exchanges);
  if (early) return fail(`refused after ${early.length - 1} of ${recording.declared.limit} in the period before`, early.slice(0, 2));
  const again = exchanges.slice(recording.declared.limit);
  if (!isWithinPeriod(recording, again)) return unproved(tookTooLong);
  const allowed = again.filter((one) => isAllowed(recording, one));
  return pass(`${allowed.length} of ${recording.declared.limit} allowed after a period of rest`);
}

function judgeSteady(recording: Recording): Finding {
  const exchanges = ofStage(recording, 'steady');
  const early = earlyRefusal(recording, exchanges);
  if (early) return fail(`refused after ${early.length - 1} of ${recording.declared.limit} in the period before`, early.slice(0, 2));
  const refused = exchanges.filter((one) => isRefused(recording, one));
  if (refused.length > 0) return unproved('the client was late, and made up for it faster than the limit allows', refused);
  const { limit, periodMs } = recording.declared;
  if (fullestWindow(exchanges, periodMs).length < 0.8 * steadyShare * limit) return unproved('the client was late, and asked for less');
  return pass(`${exchanges.length} requests at ${steadyShare * 100} % of the limit, none refused`);
}

const checks: readonly Check[] = [
  {
    id: 'count-in-turn',
    clause: 'L1',
    title: 'Of requests one after the other exactly the limit is allowed, and the first ones',
    stages: ['sequence'],
    judge: (recording) => judgeCounts(recording, [ofStage(recording, 'sequence')]),
  },
  {
    id: 'count-at-once',
    clause: 'L2',
    title: 'Of twice the limit at once, over many connections, exactly the limit is allowed, every time',
    stages: ['burst'],
    judge: (recording) => judgeCounts(recording, byTrial(ofStage(recording, 'burst'))),
  },
  {
    id: 'boundary',
    clause: 'L3',
    title: 'No more than the limit across the boundary of two periods (twice the limit where windows are declared fixed)',
    stages: ['boundary'],
    judge: judgeBoundary,
  },
  {
    id: 'quota-returns',
    clause: 'L1',
    title: 'After a period of rest the whole limit is there again',
    stages: ['return'],
    judge: judgeReturn,
  },
  {
    id: 'steady-use',
    clause: 'L12',
    title: 'Whoever asks steadily for 90 % of the limit is never refused',
    stages: ['steady'],
    judge: judgeSteady,
  },
];

export const counting: Matter = { stages: [sequence, burst, boundary, comeback, steady], checks };
