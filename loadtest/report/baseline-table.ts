import { html, type Html } from '#lib/html.ts';
import { baselineCaution, changeNames, changesOf, describeBaseline, type BaselineComparison } from './baseline.ts';

/** This run beside an earlier one. */
export function baselineTable(comparison: BaselineComparison | undefined): Html | undefined {
  if (comparison === undefined) return undefined;
  const { rows, differences } = comparison;
  return html`<h2>Beside an earlier run</h2>
    <div class="card scroll">
      <p class="soft small">${describeBaseline(comparison)}. ${baselineCaution}</p>
      ${differences.map((difference) => html`<p class="small"><strong>Not the same:</strong> ${difference}</p>`)}
      <table>
        <thead>
          <tr>
            <th>Endpoint</th>
            ${changeNames.map((name) => html`<th class="number">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) =>
              html`<tr>
                <td><code>${row.endpoint}</code></td>
                ${changesOf(row).map((change) => html`<td class="number">${change}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}
