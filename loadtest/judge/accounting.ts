import { showCount, showCountOf, showDuration, showShare } from '#lib/show.ts';
import { mergeHistograms, percentileMs } from '../measurement/histogram.ts';
import { settledCount, sumCounts } from '../measurement/merge.ts';
import type { Measurement } from '../measurement/measurement.ts';
import { broken, met, notChecked, type Check } from './check.ts';

/** Whether the counts add up, and count what was meant to be measured. */
export function judgeAccounts(measurement: Measurement): Check[] {
  return [judgeLost, judgeConservation, judgeServerCount, judgeLimited, judgeServerTimes].map((check) => check(measurement));
}

function judgeLost({ phases }: Measurement): Check {
  const head = { id: 'generator-complete', kind: 'innocence', title: 'All generator processes played to the end' } as const;
  const lost = phases.flatMap((phase) => phase.lost);
  const count = phases.reduce((sum, { processes }) => sum + processes, 0);
  if (phases.length > 0 && lost.length === 0) return met(head, `${count} of ${count}`, 'all');
  return broken(head, `${lost.length} lost`, 'all', lost.join('; ') || 'the run was ended before its load was over');
}

function judgeConservation({ slices, phases }: Measurement): Check {
  const head = { id: 'conservation', kind: 'innocence', title: 'Sent = answered + failed + still under way' } as const;
  const inFlightAtEnd = phases.reduce((sum, phase) => sum + phase.inFlightAtEnd, 0);
  const counts = sumCounts(slices);
  const settled = settledCount(counts);
  const measured = `${showCount(counts.sent)} = ${showCount(settled)} + ${showCount(inFlightAtEnd)}`;
  if (counts.sent === 0) return broken(head, measured, 'equal', 'nothing was sent');
  if (settled === 0) return broken(head, measured, 'equal', 'nothing came to an end');
  if (counts.sent === settled + inFlightAtEnd) return met(head, measured, 'equal');
  return broken(
    head,
    measured.replace('=', '≠'),
    'equal',
    `the client lost count of ${showCountOf(Math.abs(counts.sent - settled - inFlightAtEnd), 'request')}`,
  );
}

function judgeServerCount({ slices, rest }: Measurement): Check {
  const head = { id: 'server-count', kind: 'innocence', title: 'Requests the server counted = requests the client sent' } as const;
  const served = rest?.requestsServed ?? null;
  if (served === null) return notChecked(head, 'the count could not be read, or others use the service too');
  const counts = sumCounts(slices);
  const answered = counts.ok + counts.refused + counts.limited + counts.httpErrors + counts.wrongAnswers;
  const limit = answered === counts.sent ? showCount(answered) : `${showCount(answered)} to ${showCount(counts.sent)}`;
  if (served > counts.sent)
    return broken(
      head,
      showCount(served),
      limit,
      `the server answered ${showCountOf(served - counts.sent, 'request')} that the client did not account for`,
    );
  if (served < answered)
    return notChecked(
      head,
      `the server counted only ${showCount(served)}: one of its processes was replaced, and its count with it`,
      limit,
    );
  return met(head, showCount(served), limit);
}

function judgeLimited({ slices }: Measurement): Check {
  const head = { id: 'not-rate-limited', kind: 'innocence', title: 'No answer came from the rate limit (429)' } as const;
  const { limited } = sumCounts(slices);
  if (limited === 0) return met(head, '0', '0');
  const reason = `${showCountOf(limited, 'request')} answered 429: the run measured the rate limit, not the service; is RATE_LIMIT_LOADTEST_CALLS too low?`;
  return broken(head, showCount(limited), '0', reason);
}

/** More than rounding and two clocks can explain is a server that lies. */
const maxImpossibleShare = 0.01;

function judgeServerTimes({ phases }: Measurement): Check {
  const serverTimings = phases.flatMap((phase) => phase.serverTimings);
  const head = { id: 'server-agreement', kind: 'innocence', title: "The server's own times fit the client's" } as const;
  const count = serverTimings.reduce((sum, band) => sum + band.count, 0);
  if (count === 0) return notChecked(head, 'the server sent no Server-Timing');
  const impossible = serverTimings.reduce((sum, band) => sum + band.impossible, 0);
  const [measured, limit] = [`${showShare(impossible / count)} impossible`, `≤ ${showShare(maxImpossibleShare)}`];
  if (impossible / count > maxImpossibleShare) {
    return broken(
      head,
      measured,
      limit,
      `for ${showCountOf(impossible, 'answer')} the server claims more time than passed between request and answer`,
    );
  }
  const outsideMs = percentileMs(mergeHistograms(phases.map(({ outsideServer }) => outsideServer)), 50) ?? 0;
  return met(head, `median ${showDuration(outsideMs)} outside the server's clock`, limit);
}
