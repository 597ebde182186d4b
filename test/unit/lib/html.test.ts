import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapeText, html, raw, scriptJson } from '#lib/html.ts';

test('text is escaped, markup is not, and nothing leaves nothing', () => {
  const items = ['a<b', `"it's" & more`].map((text) => html`<li title="${text}">${text}</li>`);
  const page = html`<ul>
    ${items}${false}${undefined}${null}${0}${raw('<hr>')}
  </ul>`;
  expect(page.markup).toBe(
    `<ul>
    <li title="a&lt;b">a&lt;b</li><li title="&quot;it&#39;s&quot; &amp; more">&quot;it&#39;s&quot; &amp; more</li>0<hr>
  </ul>`,
  );
});

test('no text breaks out of an element, an attribute or an XML document', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const escaped = escapeText(text);
      expect(escaped).not.toMatch(/[<>"']|&(?!amp;|lt;|gt;|quot;|#39;)/);
      expect(escaped).not.toMatch(/[\0-\x08\x0B\x0C\x0E-\x1F\uFFFE\uFFFF]/); // oxlint-disable-line no-control-regex
      expect(escaped.isWellFormed()).toBe(true);
    }),
  );
});

test('JSON in a script element cannot end it, and is read back whole', () => {
  const value = { text: '</script><!--', list: [1, null] };
  const { markup } = scriptJson(value);
  expect(markup).not.toContain('<');
  expect(JSON.parse(markup)).toEqual(value);
  expect(scriptJson(undefined).markup).toBe('null');
});
