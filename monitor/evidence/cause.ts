import type { TargetSnapshot } from '../health/watch.ts';
import type { Alert } from '../model/alert.ts';
import type { Sentence } from '../words/sentence.ts';
import type { Signs } from './source.ts';

/** What a message can be explained by. */
export type Scene = {
  readonly target: Pick<TargetSnapshot, 'name' | 'kind' | 'health'>;
  readonly targets: readonly Pick<TargetSnapshot, 'name' | 'kind' | 'status' | 'dependsOn'>[];
  readonly signs: Signs;
  /** Since when this monitor has watched, in ms of the epoch: what was started before it is no news. */
  readonly watchingSince: number;
};

/** Why something is so, and what to do about just that. */
export type Cause = { readonly cause: Sentence; readonly nextStep?: Sentence };

type Rule = (alert: Alert, scene: Scene) => Cause | undefined;

/** Kinds whose trouble customers' requests show: what ails a whole service, and not one part of it, explains them. */
const served: ReadonlySet<string> = new Set(['http', 'objective', 'log']);

const fewWait = 2;

/** Whoever waits holds a connection of the pool, so few locks use it up. */
const lockRule: Rule = (_alert, { target, signs: { lock, pool } }) => {
  if (!lock || lock.waiting < fewWait || !(served.has(target.kind) || target.kind === 'postgres')) return undefined;
  const usesUpPool = pool !== undefined && (pool.waiting > 0 || pool.inUse >= pool.most * 0.9);
  return { cause: { code: 'lockHeld', ...lock, usesUpPool }, nextStep: { code: 'endSession', pid: lock.pid } };
};

/** A release shows what it breaks within minutes. */
const soonMs = 10 * 60_000;

const releaseRule: Rule = ({ startedAt }, { target, signs, watchingSince }) => {
  if (!served.has(target.kind) || signs.startedAt === undefined || signs.startedAt <= watchingSince || isGone(target, signs))
    return undefined;
  const afterMs = Date.parse(startedAt) - signs.startedAt;
  if (afterMs < -soonMs || afterMs > soonMs) return undefined;
  return { cause: { code: 'startedBefore', beforeMs: Math.max(1_000, afterMs) }, nextStep: { code: 'takeBackRelease' } };
};

const loadTestRule: Rule = ({ facts = [] }, { target, signs }) => {
  const { loadTestAnswers = 0 } = signs;
  const isRunning = loadTestAnswers > 0 || facts.some(([label]) => label === loadTestLabel);
  if (!isRunning || !served.has(target.kind) || isGone(target, signs)) return undefined;
  return { cause: { code: 'loadTestRuns' }, nextStep: { code: 'endLoadTest' } };
};

/** Label of the fact by which `slo/load-test-sight` mentions a load test. */
const loadTestLabel = 'Load test';

const poolRule: Rule = (_alert, { target, signs: { pool } }) => {
  if (!pool || pool.waiting === 0 || pool.inUse < pool.most || !served.has(target.kind)) return undefined;
  return { cause: { code: 'poolUsedUp', most: pool.most, waiting: pool.waiting } };
};

const ownRule: Rule = ({ cause }) => (cause === undefined ? undefined : { cause });

/** As system errors are named in what a look says. */
const symptoms: readonly { readonly sign: RegExp; readonly code: 'doesNotRun' | 'hostIsGone' | 'outOfReach' }[] = [
  { sign: /ECONNREFUSED/, code: 'doesNotRun' },
  { sign: /ENOTFOUND|host name \S+ (?:does not exist|is not found)/, code: 'hostIsGone' },
  { sign: /EHOSTUNREACH|ENETUNREACH/, code: 'outOfReach' },
];

/** Kinds that connect to what they look at. */
const connected: ReadonlySet<string> = new Set(['http', 'postgres', 'redis', 'certificate']);

const symptomRule: Rule = ({ event }, { target, signs: { pool } }) => {
  const last = target.health.recent.at(-1);
  if (!last || event !== 'firing') return undefined;
  const who = nameOf(target);
  if (last.isSilent && target.kind === 'dns')
    return { cause: { code: 'nameServerSilent', server: undefined }, nextStep: { code: 'askNameServer' } };
  // An API whose requests wait for a connection is at work.
  if (last.isSilent && connected.has(target.kind) && !(target.kind === 'http' && pool && pool.waiting > 0)) {
    return { cause: { code: 'hangs', who }, nextStep: { code: 'startAnew', who } };
  }
  const symptom = symptoms.find(({ sign }) => sign.test(last.detail));
  return symptom && { cause: { code: symptom.code, who } };
};

const saysRule: Rule = ({ facts = [] }, { target }) => {
  const said = facts.find(([label]) => label === 'Says of itself')?.[1];
  return typeof said === 'string' ? { cause: { code: 'isUnwell', who: nameOf(target), said } } : undefined;
};

const isGone = ({ health }: Scene['target'], { pool }: Signs): boolean => {
  const last = health.recent.at(-1);
  return (
    (last?.isSilent === true && !(pool && pool.waiting > 0)) ||
    symptoms.some(({ sign }) => last?.outcome === 'failed' && sign.test(last.detail))
  );
};

const nameOf = ({ name, kind }: Scene['target']): string => ({ postgres: 'PostgreSQL', redis: 'Redis' })[kind] ?? name;

/** In the order of how sure they are: what was seen from inside comes before what happens to be at the same time. */
const rules: readonly Rule[] = [lockRule, symptomRule, releaseRule, loadTestRule, poolRule, ownRule, saysRule];

/** Why what a message tells is so, as far as it shows; undefined where nothing does. Pure. */
export function causeOf(alert: Alert, scene: Scene): Cause | undefined {
  for (const rule of rules) {
    const cause = rule(alert, scene);
    if (cause) return cause;
  }
  return undefined;
}

type Impact = { readonly down: Sentence; readonly degraded?: Sentence };

const nobodyYet: Sentence = { code: 'nobodyYet' };
const impacts: Readonly<Record<string, Impact>> = {
  postgres: { down: { code: 'wholeShop' }, degraded: { code: 'allMayWait' } },
  redis: { down: { code: 'limitsApart' } },
  certificate: { down: { code: 'whoeverChecks' }, degraded: nobodyYet },
  disk: { down: { code: 'whatIsWritten' }, degraded: nobodyYet },
  dns: { down: { code: 'whoeverAsks' } },
  backup: { down: { code: 'lostWithDatabase' }, degraded: nobodyYet },
  rotation: { down: { code: 'logsGrow' } },
  log: { down: { code: 'whoFailed' } },
  objective: { down: { code: 'whoGetsBadAnswers' } },
  heartbeat: { down: { code: 'whoNeedsJob' } },
};

/** What is broken, and for whom. Pure. */
export function impactOf({ event }: Alert, { target: { name, kind }, targets }: Scene): Sentence {
  if (event === 'unknown') return { code: 'perhapsNobody' };
  const isDegraded = event === 'notice';
  const known = impacts[kind];
  if (known) return isDegraded ? (known.degraded ?? known.down) : known.down;
  const standIns = targets.flatMap(({ dependsOn }) => dependsOn.filter((group) => group.includes(name) && group.length > 1)).flat();
  const well = standIns.filter((other) => targets.some((one) => one.name === other && one.name !== name && one.status === 'up'));
  if (well.length > 0) return { code: 'nobodyWhile', others: [...new Set(well)].join(', ') };
  return { code: isDegraded ? 'usersSlowly' : 'allUsers', who: name };
}
