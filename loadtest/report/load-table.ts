import { html, type Html } from '#lib/html.ts';
import { showCount, showDuration } from '#lib/show.ts';
import { probesOf } from '../capacity/probes.ts';
import { phaseAt } from '../judge/figures.ts';
import { decodeHistogram, percentileMs } from '../measurement/histogram.ts';
import type { Measurement, PlayedPhase } from '../measurement/measurement.ts';
import { droppedCount, errorCount, sumCounts } from '../measurement/merge.ts';
import { describePhase, showLatency } from './describe.ts';

const outcomes = { kept: 'met', missed: 'broken', unclear: 'excused' } as const;

/**
 * What each step of the load asked for and what left the client, how late; of a search, whether the limits were kept there.
 * Undefined for one closed step, whose figures are those of the run.
 */
export function loadTable(measurement: Measurement): Html | undefined {
  const { phases } = measurement;
  const isOpen = phases.some(({ load }) => load.kind === 'open');
  if (!isOpen && phases.length < 2) return undefined;
  const probes = phases.length > 1 && isOpen ? probesOf(measurement) : [];
  const names = ['Due', 'Sent', 'Dropped', 'Errors', ...(probes.length > 0 ? ['p95'] : []), 'Lag p50', 'Lag p99', 'Lag max'];
  return html`<h2>The load, as asked and as sent</h2>
    <div class="card scroll">
      <table>
        <thead>
          <tr>
            <th>Step</th>
            ${names.map((name) => html`<th class="number">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${phases.map((phase, index) => {
            const probe = probes[index];
            const cells = figuresOfPhase(measurement, phase);
            if (probe) cells.splice(4, 0, showLatency(probe.judgement.figures.latency.p95Ms));
            return html`<tr>
              <td>
                ${probe && html`<span class="pill ${outcomes[probe.outcome]}">${probe.outcome}</span> `}${phase.name}
                ${probes.length === 0 && html`<p class="soft small">${describePhase(phase)}</p>`}
              </td>
              ${cells.map((cell) => html`<td class="number">${cell}</td>`)}
            </tr>`;
          })}
        </tbody>
      </table>
      <p class="soft small">Lag: how much later than due a request left. Of an open load it counts as the service’s time.</p>
    </div>`;
}

function figuresOfPhase(measurement: Measurement, phase: PlayedPhase): string[] {
  const counts = sumCounts(measurement.slices.filter(({ second }) => phaseAt(measurement, second) === phase));
  const lag = decodeHistogram(phase.sendLag);
  const { arrivals } = phase;
  return [
    arrivals ? showCount(arrivals.due) : '–',
    showCount(counts.sent),
    arrivals ? showCount(droppedCount(arrivals)) : '–',
    showCount(errorCount(counts)),
    ...[50, 99, 100].map((percentile) => showMaybe(percentileMs(lag, percentile))),
  ];
}

const showMaybe = (ms: number | undefined): string => (ms === undefined ? '–' : showDuration(ms));
