import type { Random } from '#loadtest/generate/random.ts';

/** Of the answers to customers of a healthy API so many are errors, half of what its objective allows; of those to a load test, which aims beyond what it can bear. */
const [errorShare, loadTestErrorShare] = [0.0005, 0.3];
const hourMs = 3_600_000;

type Moment = { readonly at: number; readonly isLoadTested: boolean; readonly isClosed: boolean };

/** Counters of an API: few customers at night, many by day, and beside them what a load test asks. */
export type Traffic = { readonly metrics: (nowMs: number, moment: Moment) => string };

export function createTraffic(random: Random): Traffic {
  const counts = { good: 0, bad: 0, testGood: 0, testBad: 0 };
  let [countedMs, owed] = [0, 0];
  return {
    metrics: (nowMs, { at, isLoadTested, isClosed }) => {
      const seconds = (nowMs - countedMs) / 1_000;
      countedMs = nowMs;
      // Three a minute at night, eight a second by day.
      const hourOfDay = (at / hourMs) % 24;
      const perSecond = 0.05 + 8 * Math.max(0, Math.sin(((hourOfDay - 6) / 16) * Math.PI)) ** 2;
      owed += isClosed ? 0 : seconds * perSecond;
      const asked = Math.floor(owed);
      owed -= asked;
      const bad = Math.min(asked, poisson(random, asked * errorShare));
      counts.bad += bad;
      counts.good += asked - bad;
      if (isLoadTested) {
        counts.testBad += Math.round(seconds * 500 * loadTestErrorShare);
        counts.testGood += Math.round(seconds * 500 * (1 - loadTestErrorShare));
      }
      return [
        series('', 200, counts.good),
        series('', 500, counts.bad),
        series(',load="test"', 200, counts.testGood),
        series(',load="test"', 503, counts.testBad),
      ].join('\n');
    },
  };
}

const series = (more: string, status: number, value: number): string =>
  `atalaya_http_request_duration_seconds_count{worker="1",route="/products",status="${status}"${more}} ${value}`;

/** How often something happens that is expected so many times. */
function poisson(random: Random, expected: number): number {
  let [count, product] = [0, random()];
  for (const limit = Math.exp(-expected); product > limit; product *= random()) count += 1;
  return count;
}
