import { html, type Html } from '#lib/html.ts';
import { showTime } from '#lib/show.ts';
import type { MaintenanceView, SilenceView, TimelineView } from './quiet-view.ts';
import type { StatusView } from './status-view.ts';
import type { Voice, Words } from './words.ts';

/** Silences in force, planned work, and what people and the monitor have done lately; nothing where there is nothing. Pure. */
export function quietLists({ silences, maintenance, timeline }: StatusView, { words }: Voice): Html {
  const { forOperators: own } = words;
  const quiet = [...silences.map((each) => silenceItem(each, own)), ...maintenance.map((each) => maintenanceItem(each, own))];
  return html`<div class="columns">
    ${section(own.quiet, quiet)}
    ${section(
      own.done,
      timeline?.map((each) => entryItem(each, own)),
    )}
  </div>`;
}

type OwnWords = Words['forOperators'];

function section(title: string, items: readonly Html[] = []): Html {
  if (items.length === 0) return html``;
  return html`<section>
    <h2>${title}</h2>
    <ul class="panel list">
      ${items}
    </ul>
  </section>`;
}

function silenceItem(silence: SilenceView, own: OwnWords): Html {
  const { name, targets, ends_at: endsAt, by, reason } = silence;
  return html`<li class="degraded" data-silence="${name}">
    <span class="what"
      >${targets?.join(', ') ?? own.everyTarget}<br /><span class="small soft">${own.silence(name, by, reason)}</span></span
    >
    <span class="end small">${own.until(showTime(endsAt))}</span>
  </li>`;
}

function maintenanceItem(planned: MaintenanceView, own: OwnWords): Html {
  const { name, targets, is_under_way: isUnderWay, starts_at: startsAt, ends_at: endsAt } = planned;
  return html`<li class="${isUnderWay ? 'degraded' : ''}" data-maintenance="${name}">
    <span class="what">${targets?.join(', ') ?? own.everyTarget}<br /><span class="small soft">${own.planned(name)}</span></span>
    <span class="end small">${isUnderWay ? own.until(showTime(endsAt)) : own.from(showTime(startsAt))}</span>
  </li>`;
}

function entryItem({ at, event, target, by, detail }: TimelineView, own: OwnWords): Html {
  const name = event.replace('_', ' ');
  return html`<li>
    <span class="what small"
      ><strong>${own.event[name] ?? name}</strong> ${target === null ? '' : `${target} `}${own.by(by)}<br /><span class="soft"
        >${detail}</span
      ></span
    >
    <span class="end small"><time datetime="${at}">${showTime(at)}</time></span>
  </li>`;
}
