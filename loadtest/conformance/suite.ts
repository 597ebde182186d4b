import { refusalStatuses, type Declared, type Exchange, type Recording } from './exchange.ts';
import {
  notChecked,
  type Check,
  type Client,
  type Finding,
  type Matter,
  type Means,
  type Player,
  type Stage,
  type Variation,
} from './matter.ts';
import { createLease } from './lease.ts';
import { clients } from './matters/clients.ts';
import { counting } from './matters/counting.ts';
import { disguises } from './matters/disguises.ts';
import { methods } from './matters/methods.ts';
import { obedient } from './matters/obedient.ts';
import { problem } from './matters/problem.ts';
import { refusals } from './matters/refusals.ts';
import { remaining } from './matters/remaining.ts';
import { retryAfter } from './matters/retry-after.ts';
import { store } from './matters/store.ts';
import { syntax } from './matters/syntax.ts';
import { waits } from './matters/waits.ts';

/** All that is looked at, in the order of the report. */
export const matters: Readonly<Record<string, Matter>> = {
  fields: syntax,
  remaining,
  'Retry-After': retryAfter,
  waiting: waits,
  problem,
  counting,
  refusals,
  clients,
  disguises,
  methods,
  obedience: obedient,
  store,
};

export const checks: readonly Check[] = Object.values(matters).flatMap((matter) => matter.checks);
const stages: readonly Stage[] = Object.values(matters).flatMap((matter) => matter.stages);

/** How requests leave and time goes by: over HTTP, or in a simulation. */
export type Port = {
  readonly now: () => number;
  /** Resolves at that moment of `now`, never before. @throws the reason of the signal that ends the run */
  readonly waitUntil: (atMs: number) => Promise<void>;
  /** Never rejects. @param client index of the client, counted from 0 */
  readonly send: (client: number, variation: Variation) => Promise<Pick<Exchange, 'sentMs' | 'endedMs' | 'lateMs' | 'answer' | 'failure'>>;
};

/** Parts that wait most of their time are played side by side, where there are clients enough. */
const sideBySide = 6;
/** So many clients are enough for all parts that are played side by side. */
const isRich = ({ clients: count }: Means): boolean => count >= 30;

export type SuiteOptions = {
  readonly declared: Declared;
  readonly means: Means;
  readonly port: Port;
  readonly onStage?: (name: string) => void;
  /** Parts to play; default: all. */
  readonly only?: ReadonlySet<string>;
};

/** Plays the whole script and returns everything that was seen. @throws what the port's waiting throws */
export async function playSuite(options: SuiteOptions): Promise<Recording> {
  const { declared, means, port } = options;
  const exchanges: Exchange[] = [];
  const skipped: Record<string, string> = {};
  const lease = createLease(options);
  const ask: Ask = async (stage, client, variation = {}) => {
    const { method = declared.method, path = declared.path, note } = variation;
    const exchange = { stage, who: `client-${client}`, method, path, note, ...(await port.send(client, variation)) };
    exchanges.push(exchange);
    lease.used(client, exchange.endedMs);
    return exchange;
  };
  const usual = await ask('look', await lease.take('look'));
  lease.end('look');
  const play = async (stage: Stage): Promise<void> => {
    const reason = options.only?.has(stage.name) === false ? 'not played again' : preventedBy(stage, means, declared);
    if (reason !== undefined) {
      skipped[stage.name] = reason;
      return;
    }
    options.onStage?.(stage.name);
    await stage.play(playerOf(options, async () => clientOf(stage.name, await lease.take(stage.name), ask)));
    lease.end(stage.name);
  };
  await inLanes(
    stages.filter(({ isAlone }) => !isAlone),
    isRich(means) ? sideBySide : 1,
    play,
  );
  for (const stage of stages) if (stage.isAlone) await play(stage);
  return { declared, exchanges, skipped, refusedWith: refusalStatuses(exchanges, usual.answer?.status ?? 0) };
}

type Ask = (stage: string, client: number, variation?: Variation) => Promise<Exchange>;

const clientOf = (stage: string, client: number, ask: Ask): Client => ({
  who: `client-${client}`,
  ask: (variation) => ask(stage, client, variation),
});

function playerOf({ declared, means, port }: SuiteOptions, client: () => Promise<Client>): Player {
  const { now, waitUntil } = port;
  const each = <T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> =>
    inLanes(items, isRich(means) ? items.length : 1, work);
  return { declared, means, now, waitUntil, client, each };
}

const preventedBy = ({ clients: needed, isPrevented }: Stage, means: Means, declared: Declared): string | undefined =>
  isPrevented?.(means, declared) ??
  (needed > means.clients ? `${needed} clients are needed, and only ${means.clients} can be told apart` : undefined);

async function inLanes<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const lane = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
}

export type Judged = { readonly check: Check; readonly finding: Finding };

/** Holds everything that was seen against every clause. Pure. */
export function judgeRecording(recording: Recording): readonly Judged[] {
  return checks.map((check) => {
    const reason = check.stages.every((name) => recording.skipped[name] !== undefined)
      ? recording.skipped[check.stages[0] ?? '']
      : undefined;
    return { check, finding: reason === undefined ? check.judge(recording) : notChecked(reason) };
  });
}

/**
 * Holds what was seen in several tries against every clause: a FAIL in one of them stays, and what a late client could not
 * prove in one may be proved by another. Pure.
 * @param recordings the first of everything, the others of parts
 */
export function judgeTries(recordings: readonly Recording[]): readonly Judged[] {
  const tries = recordings.map(judgeRecording);
  return checks.map((check, index) => {
    const findings = tries.flatMap((judged, round) => {
      const finding = judged[index]?.finding;
      return finding === undefined || (round > 0 && finding.outcome === 'NOT CHECKED') ? [] : [finding];
    });
    const decided = findings.find(({ outcome }) => outcome === 'FAIL') ?? findings.find(({ isLate }) => !isLate) ?? findings.at(-1);
    return { check, finding: decided ?? notChecked('nothing was played for it') };
  });
}

/** The parts that a late client should play again; empty when nothing can be gained. */
export const partsToRepeat = (judged: readonly Judged[]): ReadonlySet<string> =>
  new Set(judged.flatMap(({ check, finding }) => (finding.isLate ? check.stages : [])));

/** The recording of a target that could not be asked anything. */
export const skipAll = (declared: Declared, reason: string): Recording => ({
  declared,
  exchanges: [],
  skipped: Object.fromEntries(checks.flatMap((check) => check.stages.map((stage) => [stage, reason]))),
  refusedWith: [],
});
