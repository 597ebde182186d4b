import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { bareEnvironment } from '#lib/run-command.ts';
import { mergeArrivals, mergeEncoded, mergeFailures, mergeSlowest, mergeTimings } from '../measurement/merge.ts';
import type { Phase, PlayedPhase, Slice } from '../measurement/measurement.ts';
import type { GeneratorJob, GeneratorReport } from './generator.ts';

export type PhaseOptions = {
  readonly origin: string;
  readonly phase: Phase;
  readonly startSecond: number;
  readonly seed: number;
  /** On a server that does nothing: every answer is taken as right. */
  readonly isRehearsal?: boolean;
  readonly crowdFile: string;
  /** What the scenario prepared for all users, and for each. */
  readonly facts: unknown;
  readonly users: readonly unknown[];
  /** Index of the first of them among all users of the run; default: 0. */
  readonly firstUser?: number;
  /** Called with what happened in each second that is over, as the processes report it; also with what they report last. */
  readonly onSlices: (slices: readonly Slice[], second: number | undefined) => void;
  readonly onEvents?: (events: readonly unknown[]) => void;
  /** Ends the generator processes at once. */
  readonly signal?: AbortSignal;
};

const generatorFile = join(import.meta.dirname, 'generator.ts');
/** A process that is silent for that long is not measuring any more. */
const silenceMs = 10_000;
/** Until it first reports, it has its modules to load, which takes a while on a machine with other things to do. */
const startMs = 30_000;

/**
 * Plays one phase: its users spread over processes, played to the end, their findings handed on as they come and gathered
 * at the end. A process that dies or hangs is ended and named; what it had reported by then is kept.
 */
export async function playPhase(options: PhaseOptions): Promise<PlayedPhase> {
  const { phase, startSecond, firstUser = 0 } = options;
  const all = options.users.map((facts, i) => ({ facts, index: firstUser + i }));
  const shares = Array.from({ length: phase.processes }, (_, process) => all.filter(({ index }) => index % phase.processes === process));
  const children = await Promise.all(shares.map((users, place) => runGenerator(users, place, options)));
  const done = children.map((child) => child.done).filter((report) => report !== undefined);
  const results = done.map(({ result }) => result);
  return {
    ...phase,
    startSecond,
    inFlightAtEnd: done.reduce((sum, report) => sum + report.inFlightAtEnd, 0),
    serverTimings: mergeTimings(results.flatMap(({ serverTimings }) => serverTimings)),
    outsideServer: mergeEncoded(results.map(({ outsideServer }) => outsideServer)),
    failures: mergeFailures(results.flatMap(({ failures }) => failures)),
    slowest: mergeSlowest(results.flatMap(({ slowest }) => slowest)),
    ...(phase.load.kind === 'open' && { arrivals: mergeArrivals(results.map(({ arrivals }) => arrivals)) }),
    sendLag: mergeEncoded(results.map(({ sendLag }) => sendLag)),
    processVitals: done.map(({ vitals }) => vitals),
    lost: children.flatMap(({ lost }) => lost ?? []),
  };
}

type Outcome = { readonly done: Extract<GeneratorReport, { kind: 'done' }> | undefined; readonly lost: string | undefined };

async function runGenerator(users: GeneratorJob['users'], place: number, options: PhaseOptions): Promise<Outcome> {
  const name = `process ${place + 1}`;
  const child = startGenerator();
  let done: Outcome['done'];
  let lost: string | undefined;
  const end = (why: string): void => {
    lost ??= why;
    child.kill('SIGKILL');
  };
  const endAfter = (ms: number): NodeJS.Timeout => setTimeout(() => end(`${name} reported nothing for ${ms / 1_000} s and was ended`), ms);
  let silence = endAfter(startMs);
  const onAbort = (): void => end(`${name} was canceled`);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  if (options.signal?.aborted) onAbort();

  child.on('message', (report: GeneratorReport) => {
    clearTimeout(silence);
    silence = endAfter(silenceMs);
    if (report.kind === 'failed') end(`${name} failed: ${report.message}`);
    else if (report.kind === 'second') options.onSlices(report.slices, report.second);
    else {
      done = report;
      options.onSlices(report.result.slices, undefined);
    }
    if (report.kind !== 'failed') options.onEvents?.(report.events);
  });
  child.send(jobOf(users, place, options), (err) => {
    if (err) lost ??= `${name} could not be given its work: ${err.message}`;
  });
  const how = await ended(child);
  clearTimeout(silence);
  options.signal?.removeEventListener('abort', onAbort);
  return { done, lost: lost ?? (done ? undefined : `${name} ended early (${how})`) };
}

function jobOf(
  users: GeneratorJob['users'],
  place: number,
  { origin, phase, startSecond, seed, isRehearsal = false, crowdFile, facts }: PhaseOptions,
): GeneratorJob {
  return { origin, phase, startSecond, seed, isRehearsal, crowdFile, facts, process: place, users };
}

function startGenerator(): ChildProcess {
  return fork(generatorFile, {
    env: bareEnvironment(),
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}

/** Resolves with how the process ended: its signal or status, and the last line it complained with. */
function ended(child: ChildProcess): Promise<string> {
  let lastLine = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastLine = text.trim().split('\n').at(-1) ?? lastLine;
  });
  return new Promise((resolve) => {
    child.once('error', (err) => resolve(err.message));
    child.once('exit', (status, signal) => resolve(`${signal ?? `status ${status}`}${lastLine === '' ? '' : `: ${lastLine}`}`));
  });
}
