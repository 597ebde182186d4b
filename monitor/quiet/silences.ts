import { UsageError } from '#lib/errors.ts';
import { showTime } from '#lib/show.ts';
import type { Clock, Moment } from '../model/look.ts';
import { silenceName, type Quiet, type Silence, type TimelineEntry } from '../model/quiet.ts';
import type { MonitorStore } from '../store/store.ts';

export type SilenceRequest = Pick<Silence, 'targets' | 'by' | 'reason'> & { readonly forMs: number };

/** Silences that are in force. They are on record before they hold anything back. */
export type Silences = {
  /** @throws {StoreError} when it cannot be put on record; then it does not hold */
  readonly add: (request: SilenceRequest) => Silence;
  /**
   * Ends one before its time.
   * @throws {UsageError} when none of that name is in force · {StoreError}
   */
  readonly end: (name: string, by: string) => Silence;
  /** In the order in which they began. */
  readonly inForce: (now: Moment) => readonly Silence[];
};

/** With the end on the clock that never jumps: one that is set back makes no silence longer. */
type Held = { readonly silence: Silence; readonly endsMs: number };

const hold = (silence: Silence, now: Moment): Held => ({ silence, endsMs: now.clockMs + (silence.endsAt - now.at) });

/** @throws {StoreError} when what an earlier process left cannot be read */
export function createSilences({ store, clock }: SilencesDeps): Silences {
  const left = store.silences();
  const start = clock();
  // One that seems to begin only later was made before the clock was set back: nobody knows how much of it is left.
  let held = left.filter(({ startsAt }) => startsAt <= start.at).map((silence) => hold(silence, start));
  let last = Math.max(0, ...left.map(({ number }) => number));
  const inForce = (now: Moment): Silence[] => {
    held = held.filter(({ silence, endsMs }) => now.at < silence.endsAt && now.clockMs < endsMs);
    return held.map(({ silence }) => silence);
  };
  const record = (silence: Silence, entry: TimelineEntry): void =>
    store.write({ health: [], incidents: [], messages: [], silences: [silence], timeline: [entry] });
  return {
    add: ({ forMs, ...request }) => {
      const now = clock();
      const silence = { ...request, number: last + 1, startsAt: now.at, endsAt: now.at + forMs };
      const detail = `${silenceName(silence)}: ${describeTargets(silence)} until ${showTime(silence.endsAt)}: ${silence.reason}`;
      record(silence, { at: now.at, event: 'silenced', by: silence.by, detail });
      last += 1;
      held = [...held, hold(silence, now)];
      return silence;
    },
    end: (name, by) => {
      const now = clock();
      const silence = inForce(now).find((each) => silenceName(each) === name);
      if (!silence) throw new UsageError(`no silence ${name} is in force; npm run monitor -- status lists them`);
      // On record without any length, so that it does not go on by a clock that is set back; the timeline has when it was ended.
      record(
        { ...silence, endsAt: Math.min(silence.startsAt, now.at) },
        { at: now.at, event: 'unsilenced', by, detail: `${name}: ${describeTargets(silence)}` },
      );
      held = held.filter((each) => each.silence !== silence);
      return { ...silence, endsAt: Math.max(silence.startsAt, now.at) };
    },
    inForce,
  };
}

export type SilencesDeps = { readonly store: Pick<MonitorStore, 'silences' | 'write'>; readonly clock: Clock };

/** What a silence keeps back of a target; of several the one that ends last. Pure. */
export function silenceOf(target: string, silences: readonly Silence[]): Quiet | undefined {
  const own = silences.filter(({ targets }) => targets?.includes(target) !== false);
  const [longest] = own.toSorted((a, b) => b.endsAt - a.endsAt);
  return longest && { kind: 'silence', name: silenceName(longest), until: longest.endsAt };
}

const describeTargets = ({ targets }: Silence): string => targets?.join(', ') ?? 'every target';
