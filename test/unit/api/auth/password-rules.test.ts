import { describe, expect, test } from 'vitest';
import { passwordProblem } from '#api/auth/password-rules.ts';

const ada = { email: 'ada.lovelace@example.com', name: 'Augusta', lastname: 'Lovelace' };

describe('a password', () => {
  test.each(['password', 'Password1', 'QWERTYUIOP', '12345678', 'iloveyou1', 'ｐａｓｓｗｏｒｄ'])(
    'that is among the most common ones is refused, whatever its case: %s',
    async (password) => {
      expect(await passwordProblem(password, ada)).toBe('is one of the most common passwords');
    },
  );

  test.each(['aaaaaaaaaaaa', 'abababababab', '!!!!----!!!!'])('of three different characters or fewer is refused: %s', async (password) => {
    expect(await passwordProblem(password, ada)).toMatch(/four different/);
  });

  test.each(['Ada.Lovelace', 'lovelace2026', '!Augusta1815', 'example.com12'])(
    'that the account itself tells is refused: %s',
    async (password) => {
      expect(await passwordProblem(password, ada)).toMatch(/more than your name or e-mail/);
    },
  );

  test.each(['analytical engine', 'lovelace wrote the notes', 'kæ7vq2mz', 'ada and babbage met'])(
    'of another kind is taken: %s',
    async (password) => {
      expect(await passwordProblem(password, ada)).toBeUndefined();
    },
  );

  test('is not held against names too short to tell anything', async () => {
    expect(await passwordProblem('ada-xk92-q', { email: 'ada@example.com', name: 'Ada' })).toBeUndefined();
  });
});
