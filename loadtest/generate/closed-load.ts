import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { ProcessVitals, Slice } from '../measurement/measurement.ts';
import { mergeEncoded, mergeFailures, mergeOrders, mergeSlices, mergeTimings } from '../measurement/merge.ts';
import type { ChildJob, ChildReport } from './closed-child.ts';
import type { SessionResult } from './session.ts';
import type { Crowd, VirtualClient } from './virtual-user.ts';

export type ClosedLoad = {
  readonly origin: string;
  readonly crowd: Crowd;
  readonly clients: readonly VirtualClient[];
  /** Called with what happened in each second that is over, as the processes report it. */
  readonly onSecond?: (second: number, slices: readonly Slice[]) => void;
  /** Ends the generator processes at once. */
  readonly signal?: AbortSignal;
};

export type ClosedLoadResult = SessionResult & {
  readonly inFlightAtEnd: number;
  readonly processes: readonly ProcessVitals[];
  /** Processes that ended early or stopped reporting, each with how. */
  readonly lost: readonly string[];
};

const childFile = join(import.meta.dirname, 'closed-child.ts');
/** A process that is silent for that long is not measuring any more. */
const silenceMs = 10_000;

/**
 * A fixed number of users, each with one request under way or a pause: spread over processes, played to the end, and
 * gathered into one result. A process that dies or hangs is ended and named; what it had reported by then is kept.
 */
export async function runClosedLoad(load: ClosedLoad): Promise<ClosedLoadResult> {
  const { processes: count } = load.crowd.profile;
  const all = load.clients.map((client, index) => ({ client, index }));
  const jobs = Array.from({ length: count }, (_, process) => all.filter(({ index }) => index % count === process));
  const children = await Promise.all(
    jobs.map((clients, i) => runChild({ origin: load.origin, crowd: load.crowd, clients }, `process ${i + 1}`, load)),
  );
  const done = children.map(({ done: report }) => report).filter((report) => report !== undefined);
  const results = done.map(({ result }) => result);
  return {
    slices: mergeSlices(children.flatMap(({ slices }) => slices)),
    serverTimings: mergeTimings(results.flatMap(({ serverTimings }) => serverTimings)),
    outsideServer: mergeEncoded(results.map(({ outsideServer }) => outsideServer)),
    orders: mergeOrders(results.map(({ orders }) => orders)),
    failures: mergeFailures(results.flatMap(({ failures }) => failures)),
    sendLag: mergeEncoded(results.map(({ sendLag }) => sendLag)),
    inFlightAtEnd: done.reduce((sum, report) => sum + report.inFlightAtEnd, 0),
    processes: done.map(({ vitals }) => vitals),
    lost: children.flatMap(({ lost }) => lost ?? []),
  };
}

type ChildOutcome = {
  readonly slices: readonly Slice[];
  readonly done: Extract<ChildReport, { kind: 'done' }> | undefined;
  readonly lost: string | undefined;
};

async function runChild(job: ChildJob, name: string, load: ClosedLoad): Promise<ChildOutcome> {
  const child = startChild();
  const slices: Slice[] = [];
  let done: ChildOutcome['done'];
  let lost: string | undefined;
  const end = (why: string): void => {
    lost ??= why;
    child.kill('SIGKILL');
  };
  const silence = setTimeout(() => end(`${name} reported nothing for ${silenceMs / 1_000} s and was ended`), silenceMs);
  const onAbort = (): void => end(`${name} was canceled`);
  load.signal?.addEventListener('abort', onAbort, { once: true });
  if (load.signal?.aborted) onAbort();

  child.on('message', (report: ChildReport) => {
    silence.refresh();
    if (report.kind === 'failed') end(`${name} failed: ${report.message}`);
    if (report.kind === 'done') done = report;
    const news = report.kind === 'second' ? report.slices : report.kind === 'done' ? report.result.slices : [];
    slices.push(...news);
    if (report.kind === 'second') load.onSecond?.(report.second, news);
  });
  child.send(job, (err) => {
    if (err) lost ??= `${name} could not be given its work: ${err.message}`;
  });
  const how = await ended(child);
  clearTimeout(silence);
  load.signal?.removeEventListener('abort', onAbort);
  return { slices, done, lost: lost ?? (done ? undefined : `${name} ended early (${how})`) };
}

function startChild(): ChildProcess {
  // Nothing of the caller's environment or flags: neither secrets nor debuggers.
  return fork(childFile, { env: {}, execArgv: [], serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
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
