import { showDuration, showShare, showTime } from '#lib/show.ts';
import { whoEn, whoEs, type Session } from './causes.ts';
import { inBoth, type Language } from './language.ts';

type Outcome = 'ok' | 'degraded' | 'failed' | 'faulty';
type Run = { readonly outcome: Outcome; readonly count: number };

const outcomes: Readonly<Record<Language, Readonly<Record<Outcome, string>>>> = {
  en: { ok: 'ok', degraded: 'degraded', failed: 'failed', faulty: 'not possible' },
  es: { ok: 'bien', degraded: 'con problemas', failed: 'fallidas', faulty: 'no posibles' },
};

const shown = (runs: readonly Run[], language: Language, between: string): string =>
  runs.map(({ outcome, count }) => `${count} ${outcomes[language][outcome]}`).join(between);

/** What was found around something: what stands behind a label. Times in ms, moments in ms of the epoch. */
export const findings = {
  lastLooks: inBoth(
    ({ runs }: { readonly runs: readonly Run[] }) => shown(runs, 'en', ', before that '),
    ({ runs }) => shown(runs, 'es', ', antes '),
  ),
  poolIs: inBoth(
    ({ inUse, most, waiting }: { readonly inUse: number; readonly most: number; readonly waiting: number }) =>
      `${inUse} of ${most} connections in use, ${waiting} wait for one`,
    ({ inUse, most, waiting }) => `${inUse} de ${most} conexiones en uso, ${waiting} esperan una`,
  ),
  workersAre: inBoth(
    ({ ready, replaced, busyShare }: { readonly ready: number; readonly replaced: number; readonly busyShare: number }) =>
      `${ready} ready, ${replaced} replaced since the start, ${showShare(busyShare)} busy`,
    ({ ready, replaced, busyShare }) => `${ready} listos, ${replaced} reemplazados desde el arranque, ${showShare(busyShare)} de ocupación`,
  ),
  startedAt: inBoth(
    ({ at }: { readonly at: number }) => `of an API: ${showTime(at)}`,
    ({ at }) => `de una API: ${showTime(at)}`,
  ),
  answersNow: inBoth(
    ({
      customers,
      bad,
      loadTest,
      inMs,
    }: {
      readonly customers: number;
      readonly bad: number;
      readonly loadTest: number;
      readonly inMs: number;
    }) => `${customers} to customers in ${inMs} ms, ${bad} of them bad; ${loadTest} to a load test`,
    ({ customers, bad, loadTest, inMs }) =>
      `${customers} a clientes en ${inMs} ms, ${bad} de ellas malas; ${loadTest} a una prueba de carga`,
  ),
  serverErrors: inBoth(
    ({ routes }: { readonly routes: string }) => `since the start: ${routes}`,
    ({ routes }) => `desde el arranque: ${routes}`,
  ),
  metricsUnseen: inBoth(
    ({ hosts }: { readonly hosts: string }) => `metrics of ${hosts}`,
    ({ hosts }) => `métricas de ${hosts}`,
  ),
  noSession: inBoth(
    () => 'none',
    () => 'ninguna',
  ),
  transactionIs: inBoth(
    (one: Session & { readonly ageMs: number; readonly state: string; readonly waitsForLock: boolean; readonly statement: string }) =>
      `${showDuration(one.ageMs)} old: ${whoEn(one)}, ${one.state}${one.waitsForLock ? ', waits for a lock' : ''}: ${one.statement}`,
    (one) =>
      `de hace ${showDuration(one.ageMs)}: ${whoEs(one)}, ${one.state}${one.waitsForLock ? ', espera un bloqueo' : ''}: ${one.statement}`,
  ),
  lockIs: inBoth(
    (one: Session & { readonly waiting: number; readonly state: string; readonly heldMs: number }) =>
      `${one.waiting} wait for ${whoEn(one)}, ${one.state}, in a transaction of ${showDuration(one.heldMs)}`,
    (one) => `${one.waiting} esperan a ${whoEs(one)}, ${one.state}, en una transacción de ${showDuration(one.heldMs)}`,
  ),
  errorsCount: inBoth(
    ({ count, dir, inMs }: { readonly count: number; readonly dir: string; readonly inMs: number }) =>
      `${count} in ${dir} in the last ${showDuration(inMs)}`,
    ({ count, dir, inMs }) => `${count} en ${dir} en los últimos ${showDuration(inMs)}`,
  ),
  usedOf: inBoth(
    ({ used, most }: { readonly used: number; readonly most: number }) => `${used} of ${most}`,
    ({ used, most }) => `${used} de ${most}`,
  ),
  oldOf: inBoth(
    ({ ageMs, pid }: { readonly ageMs: number; readonly pid: number }) => `${showDuration(ageMs)}, process ${pid}`,
    ({ ageMs, pid }) => `${showDuration(ageMs)}, proceso ${pid}`,
  ),
  budgetLeft: inBoth(
    ({ leftShare, ofMs }: { readonly leftShare: number; readonly ofMs: number }) =>
      `${leftShare < 0 ? `used up, ${showShare(-leftShare)} beyond` : `${showShare(leftShare)} left`} of ${showDuration(ofMs)}`,
    ({ leftShare, ofMs }) =>
      `${leftShare < 0 ? `agotado, ${showShare(-leftShare)} de más` : `queda el ${showShare(leftShare)}`} de ${showDuration(ofMs)}`,
  ),
  badOf: inBoth(
    ({ bad, all, mayBeShare }: { readonly bad: number; readonly all: number; readonly mayBeShare: number }) =>
      `${bad} of ${all} bad; ${showShare(mayBeShare)} may be`,
    ({ bad, all, mayBeShare }) => `${bad} de ${all} malas; puede serlo el ${showShare(mayBeShare)}`,
  ),
  loadTestSeen: inBoth(
    ({ answers }: { readonly answers: number }) =>
      `one runs, or ran until a moment ago: ${answers} answers to it in the last look at the metrics`,
    ({ answers }) => `hay una, o la hubo hasta hace un momento: ${answers} respuestas a ella en la última lectura de las métricas`,
  ),
  heldBy: inBoth(
    ({ by }: { readonly by: string }) => `by ${by}, which is over`,
    ({ by }) => `por ${by}, que ya terminó`,
  ),
  nothingUntil: inBoth(
    ({ steadyMs }: { readonly steadyMs: number }) => `nothing, until it has been steady for ${showDuration(steadyMs)}`,
    ({ steadyMs }) => `nada, hasta que lleve ${showDuration(steadyMs)} estable`,
  ),
};
