import { html, type Html } from '#lib/html.ts';
import type { PublicIncident, PublicView } from './public-view.ts';
import type { Voice } from './words.ts';

/**
 * The last incidents as an Atom feed, newest first; whoever subscribes is told of each again when it ends or something is written
 * of it. Pure.
 * @param origin where people reach the status page, without a slash at its end
 * @see https://www.rfc-editor.org/rfc/rfc4287
 */
export function atomFeed(view: PublicView, origin: string, { words, language }: Voice): string {
  const incidents = view.incidents ?? [];
  const [updated = '1970-01-01T00:00:00.000Z'] = incidents.map(lastChange).toSorted().toReversed();
  const self = `${origin}/feed.atom?lang=${language}`;
  return `<?xml version="1.0" encoding="utf-8"?>\n${
    html`<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="${language}">
      <id>${origin}/feed.atom</id>
      <title>Atalaya · ${words.incidents}</title>
      <updated>${updated}</updated>
      <author><name>Atalaya</name></author>
      <link rel="self" type="application/atom+xml" href="${self}" />
      <link rel="alternate" type="text/html" href="${origin}/" />
      ${incidents.map((incident) => entry(incident, origin, words))}
    </feed>`.markup
  }\n`;
}

function entry(incident: PublicIncident, origin: string, words: Voice['words']): Html {
  const { id, target, kind, started_at: startedAt, ended_at: endedAt, notes } = incident;
  const address = `${origin}/incidents/${encodeURIComponent(id)}`;
  const text = [endedAt === null ? words.stillGoing : words.ended, ...notes.map((note) => note.text)].join('\n\n');
  return html`<entry>
    <id>${address}</id>
    <title>${target}: ${words.kind[kind]}</title>
    <published>${startedAt}</published>
    <updated>${lastChange(incident)}</updated>
    <link rel="alternate" type="text/html" href="${address}" />
    <content type="text">${text}</content>
  </entry>`;
}

/** ISO times in UTC sort as texts. */
const lastChange = ({ started_at: startedAt, ended_at: endedAt, notes }: PublicIncident): string =>
  [startedAt, endedAt ?? startedAt, ...notes.map(({ at }) => at)].toSorted().at(-1) ?? startedAt;
