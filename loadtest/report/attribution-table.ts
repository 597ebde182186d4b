import { html, type Html } from '#lib/html.ts';
import { showCount, showShare } from '#lib/show.ts';
import { timingParts, type Measurement, type TimingBand } from '../measurement/measurement.ts';

/** The parts of a request’s time in words. */
export const partNames = {
  queue: 'queue in the API',
  pool: 'waiting for a connection',
  db: 'database',
  app: 'API code',
  outside: 'outside the server’s clock',
};

/** Where the time of the answers went, from fast ones to slow ones. */
export function attribution({ phases }: Measurement): Html | undefined {
  const serverTimings = phases.flatMap((phase) => phase.serverTimings);
  const bands = [...Map.groupBy(serverTimings, ({ band }) => band).entries()].toSorted(([a], [b]) => a - b);
  if (bands.length === 0) return undefined;
  return html`<h2>Where the time went</h2>
    <div class="card">
      <p class="soft small">Answers by their latency, and the shares of it that the server’s own Server-Timing explains.</p>
      <div class="legend small">${Object.entries(partNames).map(([part, name]) => html`<span class="${part}">${name}</span>`)}</div>
      <table>
        <thead>
          <tr>
            <th class="number">Latency</th>
            <th class="number">Answers</th>
            <th>Shares of the time</th>
          </tr>
        </thead>
        <tbody>
          ${bands.map(([band, entries]) => attributionRow(band, entries))}
        </tbody>
      </table>
    </div>`;
}

function attributionRow(band: number, entries: readonly TimingBand[]): Html {
  const sum = (read: (entry: TimingBand) => number): number => entries.reduce((total, entry) => total + read(entry), 0);
  const latencyMs = sum((entry) => entry.latencySumMs);
  const inside = timingParts.map((part) => ({ part, ms: sum((entry) => entry.sumMs[part]) }));
  const outside = { part: 'outside', ms: Math.max(0, latencyMs - inside.reduce((total, { ms }) => total + ms, 0)) } as const;
  const parts = [...inside, outside];
  const whole = parts.reduce((total, { ms }) => total + ms, 0) || 1;
  return html`<tr>
    <td class="number">${band === 0 ? '< 2 ms' : `${2 ** band}–${2 ** (band + 1)} ms`}</td>
    <td class="number">${showCount(sum(({ count }) => count))}</td>
    <td style="width:70%">
      <div class="bar">
        ${parts.map(
          ({ part, ms }) =>
            html`<i
              class="${part}"
              style="width:${((100 * ms) / whole).toFixed(2)}%"
              title="${partNames[part]}: ${showShare(ms / whole)}"
            ></i>`,
        )}
      </div>
    </td>
  </tr>`;
}
