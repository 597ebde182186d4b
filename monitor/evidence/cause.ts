import { showDuration } from '#lib/show.ts';
import type { TargetSnapshot } from '../health/watch.ts';
import type { Alert } from '../model/alert.ts';
import type { Signs } from './source.ts';

/** What a message can be explained by. */
export type Scene = {
  readonly target: Pick<TargetSnapshot, 'name' | 'kind' | 'health'>;
  readonly targets: readonly Pick<TargetSnapshot, 'name' | 'kind' | 'status' | 'dependsOn'>[];
  readonly signs: Signs;
  /** Since when this monitor has watched, in ms of the epoch: what was started before it is no news. */
  readonly watchingSince: number;
};

/** One sentence that says why, and what to do about just that. */
export type Cause = { readonly sentence: string; readonly nextStep?: string };

type Rule = (alert: Alert, scene: Scene) => Cause | undefined;

/** Kinds whose trouble customers' requests show: what ails a whole service, and not one part of it, explains them. */
const served: ReadonlySet<string> = new Set(['http', 'objective', 'log']);

const fewWait = 2;

/** Whoever waits holds a connection of the pool, so few locks use it up. */
const lockRule: Rule = (_alert, { target, signs: { lock, pool } }) => {
  if (!lock || lock.waiting < fewWait || !(served.has(target.kind) || target.kind === 'postgres')) return undefined;
  const used = pool && (pool.waiting > 0 || pool.inUse >= pool.most * 0.9) ? 'The pool of connections is used up: ' : '';
  const sentence = `${lock.waiting} statements wait for a lock that ${lock.holder}, has held for up to ${showDuration(lock.heldMs)}.`;
  return { sentence: `${used}${sentence}`, nextStep: `SELECT pg_terminate_backend(${lock.pid}) ends it, once you know whose it is` };
};

/** A release shows what it breaks within minutes. */
const soonMs = 10 * 60_000;

const releaseRule: Rule = ({ startedAt }, { target, signs, watchingSince }) => {
  if (!served.has(target.kind) || signs.startedAt === undefined || signs.startedAt <= watchingSince || isGone(target, signs))
    return undefined;
  const afterMs = Date.parse(startedAt) - signs.startedAt;
  if (afterMs < -soonMs || afterMs > soonMs) return undefined;
  return {
    sentence: `The API was started anew ${showDuration(Math.max(1_000, afterMs))} before, as by a release.`,
    nextStep: 'look at what was released last, and take it back if that is it',
  };
};

const loadTestRule: Rule = ({ facts = [] }, { target, signs }) => {
  const { loadTestAnswers = 0 } = signs;
  const isRunning = loadTestAnswers > 0 || facts.some(([label]) => label === loadTestLabel);
  if (!isRunning || !served.has(target.kind) || isGone(target, signs)) return undefined;
  return { sentence: 'A load test runs against it.', nextStep: 'find out who runs the load test, and end it if nobody meant this' };
};

/** Label of the fact by which `slo/load-test-sight` mentions a load test. */
const loadTestLabel = 'Load test';

const poolRule: Rule = (_alert, { target, signs: { pool } }) => {
  if (!pool || pool.waiting === 0 || pool.inUse < pool.most || !served.has(target.kind)) return undefined;
  return { sentence: `The pool of connections is used up: all ${pool.most} are in use, and ${pool.waiting} requests wait for one.` };
};

const ownRule: Rule = ({ cause }) => (cause === undefined ? undefined : { sentence: cause });

/** As system errors are named in what a look says. */
const symptoms: readonly { readonly sign: RegExp; readonly says: (who: string) => string }[] = [
  { sign: /ECONNREFUSED/, says: (who) => `${who} does not run: nothing listens at its port.` },
  { sign: /ENOTFOUND|host name \S+ (?:does not exist|is not found)/, says: (who) => `${who} is gone: its host name does not exist.` },
  { sign: /EHOSTUNREACH|ENETUNREACH/, says: (who) => `${who} cannot be reached: there is no way through the network to it.` },
];

/** Kinds that connect to what they look at. */
const connected: ReadonlySet<string> = new Set(['http', 'postgres', 'redis', 'certificate']);

const symptomRule: Rule = ({ event }, { target, signs: { pool } }) => {
  const last = target.health.recent.at(-1);
  if (!last || event !== 'firing') return undefined;
  const who = nameOf(target);
  if (last.isSilent && target.kind === 'dns')
    return { sentence: 'The name server does not answer.', nextStep: 'ask it by hand with dig, from the machine of the monitor' };
  // An API whose requests wait for a connection is at work.
  if (last.isSilent && connected.has(target.kind) && !(target.kind === 'http' && pool && pool.waiting > 0)) {
    const nextStep = `look whether ${who} is stopped, out of memory or busy with one thing, then start it anew`;
    return { sentence: `${who} hangs: it lets itself be connected to and does not answer.`, nextStep };
  }
  const symptom = symptoms.find(({ sign }) => sign.test(last.detail));
  return symptom && { sentence: symptom.says(who) };
};

const saysRule: Rule = ({ facts = [] }, { target }) => {
  const said = facts.find(([label]) => label === 'Says of itself')?.[1];
  return said === undefined ? undefined : { sentence: `${nameOf(target)} answers, and says that it is not well: ${said}.` };
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

type Impact = { readonly down: string; readonly degraded?: string };

const nobodyYet = 'nobody yet';
const impacts: Readonly<Record<string, Impact>> = {
  postgres: { down: 'everybody: nothing can be browsed, ordered or paid', degraded: 'everybody may have to wait' },
  redis: { down: 'nobody is refused; each API counts its rate limit alone, and keeps no answers' },
  certificate: { down: 'everybody whose browser or app checks it: they refuse the site', degraded: nobodyYet },
  disk: { down: 'whatever is written to it: backups and logs among it', degraded: nobodyYet },
  dns: { down: 'whoever looks the name up anew does not get to it' },
  backup: { down: 'no customer; what came since the last good backup would be lost with the database', degraded: nobodyYet },
  rotation: { down: 'no customer; the logs grow until their disk is full' },
  log: { down: 'whoever made the requests that fail' },
  objective: { down: 'the customers who get the bad answers' },
  heartbeat: { down: 'whoever needs what the job makes' },
};

/** What is broken, and for whom. Pure. */
export function impactOf({ event }: Alert, { target: { name, kind }, targets }: Scene): string | undefined {
  if (event === 'unknown') return 'perhaps nobody: the monitor cannot tell';
  const isDegraded = event === 'notice';
  const known = impacts[kind];
  if (known) return isDegraded ? (known.degraded ?? known.down) : known.down;
  const standIns = targets.flatMap(({ dependsOn }) => dependsOn.filter((group) => group.includes(name) && group.length > 1)).flat();
  const well = standIns.filter((other) => targets.some((one) => one.name === other && one.name !== name && one.status === 'up'));
  if (well.length > 0) return `nobody, as long as ${[...new Set(well)].join(', ')} serves them alone`;
  return isDegraded ? `who uses ${name} may be served slowly or in part` : `everybody who uses ${name}`;
}
