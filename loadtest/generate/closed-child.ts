import { messageOf } from '#lib/errors.ts';
import { isSaturating, type ProcessVitals, type Profile, type Slice } from '../measurement/measurement.ts';
import { watchProcess, type VitalsMonitor } from '../observe/process-vitals.ts';
import { runSaturatingUsers } from './saturating-users.ts';
import { createSession, type Session, type SessionResult } from './session.ts';
import { runThinkingUsers } from './thinking-users.ts';
import { createVirtualUser, type Crowd, type VirtualClient } from './virtual-user.ts';

/** Sent once by the parent; holds access tokens, which therefore stand in no argument list. */
export type ChildJob = {
  readonly origin: string;
  readonly crowd: Crowd;
  /** The share of the crowd this process plays. */
  readonly clients: readonly { readonly index: number; readonly client: VirtualClient }[];
};

export type ChildReport =
  | { readonly kind: 'second'; readonly second: number; readonly slices: readonly Slice[] }
  | { readonly kind: 'done'; readonly result: SessionResult; readonly vitals: ProcessVitals; readonly inFlightAtEnd: number }
  | { readonly kind: 'failed'; readonly message: string };

/** The whole life of a generator process: this file is what closed-load forks. */
async function play(job: ChildJob): Promise<void> {
  const { profile } = job.crowd;
  const session = createSession(profile.warmUpMs);
  const vitals = watchProcess();
  const stop = new AbortController();
  const stopTimer = setTimeout(() => stop.abort(), profile.warmUpMs + profile.durationMs);
  const ticker = setInterval(everySecond(profile, session, vitals), 1_000);
  const users = job.clients.map(({ index, client }) => ({ client, user: createVirtualUser(job.crowd, client, index) }));
  const arrivalMs = Math.min(profile.warmUpMs * 0.6, profile.thinkMs[1]);
  const run = isSaturating(profile) ? runSaturatingUsers : runThinkingUsers;
  try {
    const { origin } = job;
    const inFlightAtEnd = await run({ origin, users, session, timeoutMs: profile.timeoutMs, arrivalMs, stop: stop.signal });
    report({ kind: 'done', result: session.close(), vitals: vitals.close(), inFlightAtEnd });
  } finally {
    clearInterval(ticker);
    clearTimeout(stopTimer);
    stop.abort();
  }
}

function everySecond(profile: Profile, session: Session, vitals: VitalsMonitor): () => void {
  const warmUpSeconds = Math.ceil(profile.warmUpMs / 1_000);
  const endSecond = warmUpSeconds + Math.ceil(profile.durationMs / 1_000);
  let ended = -1;
  return () => {
    const second = session.second() - 1;
    if (second > ended) vitals.endSecond(second, second >= warmUpSeconds && second < endSecond);
    ended = second;
    report({ kind: 'second', second, slices: session.takeSlices() });
  };
}

const report = (message: ChildReport): void => {
  process.send?.(message);
};

process.once('message', (job: ChildJob) => {
  play(job)
    .catch((err: unknown) => report({ kind: 'failed', message: messageOf(err) }))
    .finally(() => process.disconnect());
});
