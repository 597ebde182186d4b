/** Text that is HTML already. Only `html` and `raw` make it. */
export type SafeHtml = { readonly markup: string };

type Part = SafeHtml | readonly SafeHtml[] | string | number | undefined;

/** A template whose values are escaped, unless they are HTML themselves. Undefined leaves nothing. */
export function html(literals: TemplateStringsArray, ...values: readonly Part[]): SafeHtml {
  return { markup: literals.map((literal, index) => (index === 0 ? literal : render(values[index - 1]) + literal)).join('') };
}

/** Markup of our own making, such as a style sheet. Never anything that came from outside. */
export const raw = (markup: string): SafeHtml => ({ markup });

function render(part: Part): string {
  if (part === undefined) return '';
  if (typeof part === 'string' || typeof part === 'number') return escape(String(part));
  return 'markup' in part ? part.markup : part.map(({ markup }) => markup).join('');
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (char) => entities[char] ?? char);
