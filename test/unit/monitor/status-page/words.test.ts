import { expect, test } from 'vitest';
import { voiceOf } from '#monitor/status-page/words.ts';
import { languageFor } from '#monitor/words/language.ts';

test.each([
  [undefined, '', 'en'],
  [undefined, 'es', 'es'],
  [undefined, 'es-MX,es;q=0.9,en;q=0.8', 'es'],
  [undefined, 'en;q=0.5, ES-ar', 'es'],
  [undefined, 'de,fr', 'en'],
  [undefined, 'de, es;q=0.4, en;q=0.3', 'es'],
  [undefined, 'es;q=0, en', 'en'],
  [undefined, 'es;q=0', 'en'],
  ['es', 'en', 'es'],
  ['en', 'es', 'en'],
  ['xx', 'es', 'es'],
] as const)('who asks for %s and accepts "%s" reads %s', (asked, accepted, language) => {
  expect(languageFor(asked, accepted)).toBe(language);
});

test('a moment is written as the readers of a language write it, in UTC', () => {
  expect(voiceOf('en').time('2026-11-26T09:05:00Z')).toBe('26 Nov 2026, 09:05');
  expect(voiceOf('es').time('2026-11-26T09:05:00Z')).toBe('26 nov 2026, 9:05');
});
