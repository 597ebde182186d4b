/** Text that is HTML already. Only `html`, `raw` and `scriptJson` make it. */
export type Html = { readonly markup: string };

/** What a template takes: text is escaped, lists are joined, and false, null and undefined leave nothing. */
type Content = string | number | Html | false | null | undefined | readonly Content[];

/** The one template: whatever is put in is escaped, unless it is HTML itself. */
export function html(literals: TemplateStringsArray, ...values: readonly Content[]): Html {
  return { markup: literals.reduce((markup, literal, index) => markup + render(values[index - 1]) + literal) };
}

/** Markup of our own making, such as a style sheet. Never anything that came from outside. */
export const raw = (markup: string): Html => ({ markup });

/** A value as JSON that may stand inside a script element. */
export const scriptJson = (value: unknown): Html => raw((JSON.stringify(value) ?? 'null').replaceAll('<', String.raw`\u003c`));

function render(value: Content): string {
  if (value === undefined || value === null || value === false) return '';
  if (typeof value === 'string' || typeof value === 'number') return escapeText(String(value));
  return 'markup' in value ? value.markup : value.map(render).join('');
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text fit for HTML and XML, in content and in quoted attributes; characters XML 1.0 forbids are dropped. */
export const escapeText = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(forbidden, '')
    .replaceAll(/[&<>"']/g, (sign) => entities[sign] ?? sign);

// oxlint-disable-next-line no-control-regex -- exactly those are meant
const forbidden = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g;
