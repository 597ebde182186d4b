import { html, type Html } from '#lib/html.ts';
import { showTime } from '#lib/show.ts';
import { whom, type MaintenanceView, type SilenceView, type TimelineView } from './quiet-view.ts';
import type { StatusView } from './status-view.ts';

/** Silences in force, planned work, and what people and the monitor have done lately; nothing where there is nothing. Pure. */
export function quietLists({ silences, maintenance, timeline }: StatusView): Html {
  return html`<div class="columns">
    ${section('Silences and planned work', [...silences.map(silenceItem), ...maintenance.map(maintenanceItem)])}
    ${section('What was done', timeline?.map(entryItem))}
  </div>`;
}

function section(title: string, items: readonly Html[] = []): Html {
  if (items.length === 0) return html``;
  return html`<section>
    <h2>${title}</h2>
    <ul class="panel list">
      ${items}
    </ul>
  </section>`;
}

function silenceItem(silence: SilenceView): Html {
  const { name, ends_at: endsAt, by, reason } = silence;
  return html`<li class="degraded" data-silence="${name}">
    <span class="what">${whom(silence)}<br /><span class="small soft">silence ${name}, by ${by}: ${reason}</span></span>
    <span class="end small">until ${showTime(endsAt)}</span>
  </li>`;
}

function maintenanceItem(planned: MaintenanceView): Html {
  const { name, is_under_way: isUnderWay, starts_at: startsAt, ends_at: endsAt } = planned;
  return html`<li class="${isUnderWay ? 'degraded' : ''}" data-maintenance="${name}">
    <span class="what">${whom(planned)}<br /><span class="small soft">maintenance ${name}</span></span>
    <span class="end small">${isUnderWay ? `until ${showTime(endsAt)}` : `from ${showTime(startsAt)}`}</span>
  </li>`;
}

function entryItem({ at, event, target, by, detail }: TimelineView): Html {
  return html`<li>
    <span class="what small"
      ><strong>${event.replace('_', ' ')}</strong> ${target === null ? '' : `${target} `}by ${by}<br /><span class="soft"
        >${detail}</span
      ></span
    >
    <span class="end small"><time datetime="${at}">${showTime(at)}</time></span>
  </li>`;
}
