import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redactText, redactUrl } from '#lib/redact.ts';

describe('redactText', () => {
  test.each([
    ['connecting to smtp://ana:hunter2@mail.example:25', 'connecting to smtp://ana:(hidden)@mail.example:25'],
    ['POST https://hooks.example/services/T0/B0/abc failed', 'POST https://hooks.example/services/(hidden) failed'],
    ['Authorization: Bearer abc.def-ghi', 'Authorization: Bearer (hidden)'],
    ['password=hunter2, next', 'password=(hidden), next'],
    ['{"password":"hunter2","name":"ana"}', '{"password":"(hidden)","name":"ana"}'],
    ['X-API-Key: atk_abcdef', 'X-API-Key: (hidden)'],
    ['token = abc', 'token = (hidden)'],
    ['{"access_token":"abc.def"}', '{"access_token":"(hidden)"}'],
    ['client-secret: hunter2', 'client-secret: (hidden)'],
    ['card 4111 1111 1111 1111 refused', 'card (hidden) refused'],
  ])('hides the secret in %s', (text, redacted) => {
    expect(redactText(text)).toBe(redacted);
  });

  test.each([
    'ADMIN_TOKEN=(hidden): must have at least 16 characters',
    'http://127.0.0.1:8000/health_check',
    'order 12345678 of 3 pieces',
    'the password is wrong',
    'tokens are signed',
  ])('leaves %s as it is', (text) => {
    expect(redactText(text)).toBe(text);
  });

  test('takes no longer for each letter of a long word than for one of a short', () => {
    const word = 'a'.repeat(200_000);
    expect(redactText(`${word} smtp://ana:hunter2@mail.example`)).toBe(`${word} smtp://ana:(hidden)@mail.example`);
  });

  test('hides the password of any URL with credentials', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9_$!-]{1,20}$/);
    fc.assert(
      fc.property(word, word, (user, password) => {
        const redacted = redactText(`cannot reach postgres://${user}:${password}@db.example:5432/shop`);
        expect(redacted).toBe(`cannot reach postgres://${user}:(hidden)@db.example:5432/shop`);
      }),
    );
  });
});

test('a URL is shown by its origin only, and text that is none not at all', () => {
  expect(redactUrl('https://ana:pw@hooks.example/services/T0?x=1')).toBe('https://hooks.example/…');
  expect(redactUrl('hooks.example')).toBe('(hidden)');
});
