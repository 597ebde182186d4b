import type { Quiet } from '../model/quiet.ts';

/** When work is planned, as people who live in a time zone write it: once, or on days of the week. */
export type Maintenance = {
  readonly name: string;
  /** Undefined: all of them. */
  readonly targets: readonly string[] | undefined;
  /** As the IANA database names it. */
  readonly timeZone: string;
  /** The one day it begins on, as the clocks of the zone show midnight: ms of the epoch, were the zone UTC. */
  readonly date: number | undefined;
  /** Days of the week it begins on, 0 for Sunday; not asked where there is a date. */
  readonly days: readonly number[];
  /** When it begins, by the clocks of the zone. */
  readonly minuteOfDay: number;
  /** How long it lasts, whatever is done to the clocks meanwhile. */
  readonly forMs: number;
};

/** Ms of the epoch; it is over at `endsAt`. */
export type Span = { readonly startsAt: number; readonly endsAt: number };

const dayMs = 86_400_000;

/** The window of a maintenance that a moment lies in. Pure. */
export function windowAt(maintenance: Maintenance, at: number): Span | undefined {
  return spansBetween(maintenance, at - maintenance.forMs, at).find(({ startsAt, endsAt }) => startsAt <= at && at < endsAt);
}

/** The window after a moment; undefined where there is none, as after the only one. Pure. */
export function nextWindow(maintenance: Maintenance, at: number): Span | undefined {
  const until = maintenance.date === undefined ? at + 8 * dayMs : Infinity;
  return spansBetween(maintenance, at, until).find(({ startsAt }) => startsAt > at);
}

/** What planned work keeps back of a target at a moment. Pure. */
export function maintenanceOf(target: string, planned: readonly Maintenance[], at: number): Quiet | undefined {
  for (const each of planned) {
    const span = each.targets?.includes(target) === false ? undefined : windowAt(each, at);
    if (span) return { kind: 'maintenance', name: each.name, until: span.endsAt };
  }
  return undefined;
}

/** Windows that may begin between two moments, a day more at either end. */
function spansBetween({ date, days, timeZone, minuteOfDay, forMs }: Maintenance, from: number, to: number): Span[] {
  const dates =
    date === undefined ? daysBetween(from - dayMs, to + dayMs).filter((day) => days.includes(new Date(day).getUTCDay())) : [date];
  return dates.map((day) => {
    const startsAt = momentOf(day + minuteOfDay * 60_000, timeZone);
    return { startsAt, endsAt: startsAt + forMs };
  });
}

function daysBetween(from: number, to: number): number[] {
  const first = Math.floor(from / dayMs);
  return Array.from({ length: Math.floor(to / dayMs) - first + 1 }, (_, index) => (first + index) * dayMs);
}

/**
 * The moment at which the clocks of a zone show a time. Of an hour that comes twice it is the first; one that is left out
 * begins by as much later as the clocks are set forward. Pure.
 * @param shown what they show: ms of the epoch, were the zone UTC
 */
export function momentOf(shown: number, timeZone: string): number {
  const [before, after] = [shown - offsetOf(timeZone, shown - dayMs), shown - offsetOf(timeZone, shown + dayMs)];
  const meant = [before, after].filter((moment) => moment + offsetOf(timeZone, moment) === shown);
  return meant.length > 0 ? Math.min(...meant) : before;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** The same few moments are asked for at every look, and the formatter is slow. */
const offsets = new Map<string, number>();
const offsetsKept = 1_000;
/** Clocks are set at quarters of an hour. */
const quarterMs = 900_000;

/** What the clocks of a zone are ahead of UTC at a moment, in ms. V8 reads its locales only where a zone is not UTC. */
function offsetOf(timeZone: string, at: number): number {
  if (timeZone === 'UTC') return 0;
  const key = `${timeZone} ${Math.floor(at / quarterMs)}`;
  const known = offsets.get(key);
  if (known !== undefined) return known;
  const format = formats.get(timeZone) ?? new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  formats.set(timeZone, format);
  const name = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign, hours, minutes] = /GMT([+-])(\d\d):(\d\d)/.exec(name) ?? [];
  const offset = (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000;
  if (offsets.size >= offsetsKept) offsets.clear();
  offsets.set(key, offset);
  return offset;
}
