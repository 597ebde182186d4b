/** Text that is already HTML. */
export type Html = { readonly html: string };

const raw = (text: string): Html => ({ html: text });

export type Content = string | number | Html | false | null | undefined | readonly Content[];

/** Markup from a template; whatever is put in is escaped, unless it is markup itself. Lists are joined, nothing stays nothing. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Html {
  return raw(parts.reduce((text, part, i) => text + show(values[i - 1]) + part));
}

function show(value: Content): string {
  if (value === undefined || value === null || value === false) return '';
  if (typeof value === 'string' || typeof value === 'number') return escapeText(String(value));
  return 'html' in value ? value.html : value.map(show).join('');
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text fit for HTML and XML, in content and in quoted attributes; characters XML 1.0 forbids are dropped. */
export function escapeText(text: string): string {
  return text.replaceAll(forbidden, '').replaceAll(/[&<>"']/g, (sign) => entities[sign] ?? sign);
}

// oxlint-disable-next-line no-control-regex -- exactly those are meant
const forbidden = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g;

/** A value as JSON that may stand inside a script element. */
export const scriptJson = (value: unknown): Html => raw(JSON.stringify(value).replaceAll('<', String.raw`\u003c`));

/** Trusted text, such as a style sheet of our own, put in as it is. */
export const trusted = raw;
