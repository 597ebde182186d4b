import { showCount, showMs } from '../judge/check.ts';
import { isSaturating, type Profile } from '../measurement/measurement.ts';

/** A load in one phrase: `400 users, pausing 1–3 s, for 30 s after 5 s of warm-up`. */
export function describeProfile(profile: Profile): string {
  const [least, most] = profile.thinkMs;
  const pause = isSaturating(profile) ? 'never pausing' : `pausing ${least === most ? showPause(most) : showRange(least, most)}`;
  const mixed = profile.mix.length === 0 ? '' : `, with ${profile.mix.join(' and ')} mixed in`;
  return `${showCount(profile.users)} users, ${pause}, for ${showPause(profile.durationMs)} after ${showPause(profile.warmUpMs)} of warm-up${mixed}`;
}

const showPause = (ms: number): string => (ms >= 1_000 ? `${ms / 1_000} s` : `${ms} ms`);

function showRange(least: number, most: number): string {
  return least >= 1_000 ? `${least / 1_000}–${most / 1_000} s` : `${showPause(least)} to ${showPause(most)}`;
}

/** A latency that may be unknown. */
export const showLatency = (ms: number | null): string => (ms === null ? '–' : showMs(ms));
