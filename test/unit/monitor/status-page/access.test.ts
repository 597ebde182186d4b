import { array, assert, nat, property, tuple } from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { createHmac } from 'node:crypto';
import { signCommand, type Signer } from '#monitor/quiet/signature.ts';
import { createAccess, mayGuess, type Access, type Asker } from '#monitor/status-page/access.ts';

const now = Date.parse('2026-11-26T09:00:00Z');
const hour = 3_600_000;
const password = 'correct horse battery';
const signerOf = (key: string): Signer => {
  const sign: Signer['sign'] = (purpose, text) => createHmac('sha256', key).update(`${purpose}\n${text}`).digest('base64url');
  return { sign, isSigned: (purpose, text, signature) => sign(purpose, text) === signature };
};
const signer = signerOf('key');
const asks = (headers: Asker['headers'], path = '/operator'): Asker => ({ headers, method: 'GET', path, address: '192.0.2.1' });

describe('an operator', () => {
  let set: string | undefined;
  let access: Access;
  beforeEach(() => {
    set = password;
    access = createAccess({ password: () => set, signer, isSecure: false });
  });
  const signedIn = (): string => access.signIn(password, '192.0.2.1', now).cookie?.split(';')[0] ?? '';

  test('is let in by the password, and for 12 hours by the cookie that gave', () => {
    const cookie = signedIn();
    expect(access.admits(asks({ cookie }), now + 12 * hour - 1)).toBe('admitted');
    expect(access.admits(asks({ cookie: `other=1; ${cookie}` }), now)).toBe('admitted');
    expect(access.admits(asks({ cookie }), now + 12 * hour)).toBe('refused');
  });

  test('gets a cookie no script reads, no other site sends, and that stays in TLS where people come by it', () => {
    expect(access.signIn(password, 'a', now).cookie).toMatch(/; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
    expect(createAccess({ password: () => password, signer, isSecure: true }).signIn(password, 'a', now).cookie).toMatch(/; Secure$/);
  });

  test('is out as soon as the password is another, and when nobody has set one', () => {
    const cookie = signedIn();
    set = 'another password';
    expect(access.admits(asks({ cookie }), now)).toBe('refused');
    set = undefined;
    expect(access.admits(asks({ cookie }), now)).toBe('closed');
    expect(access.admits(asks({ authorization: 'Bearer ' }), now)).toBe('closed');
    expect(access.signIn('', 'a', now)).toEqual({ admission: 'closed' });
  });

  test('cannot make a session last longer, or bring one of another monitor', () => {
    const [, endsAt = '', signature = ''] = /=(\d+)\.(.+)/.exec(signedIn()) ?? [];
    expect(access.admits(asks({ cookie: `atalaya_session=${Number(endsAt) + hour}.${signature}` }), now)).toBe('refused');
    const foreign = createAccess({ password: () => password, signer: signerOf('other'), isSecure: false }).signIn(
      password,
      'a',
      now,
    ).cookie;
    expect(access.admits(asks({ cookie: foreign?.split(';')[0] }), now)).toBe('refused');
  });

  test('may be a program with the password, or one that reads the folder, for the path it signed and a minute', () => {
    expect(access.admits(asks({ authorization: `Bearer ${password}` }), now)).toBe('admitted');
    set = undefined;
    const authorization = signCommand(signer, 'GET /metrics', now);
    expect(access.admits(asks({ authorization }, '/metrics'), now + 60_000)).toBe('admitted');
    expect(access.admits(asks({ authorization }, '/operator'), now)).toBe('closed');
    expect(access.admits(asks({ authorization }, '/metrics'), now + 60_001)).toBe('closed');
  });

  test('has a token for forms that is of this session alone', () => {
    const first = { cookie: signedIn() };
    const second = { cookie: access.signIn(password, 'a', now + 1).cookie?.split(';')[0] };
    expect(access.formToken(first, now)).toMatch(/^[\w-]{43}$/);
    expect(access.formToken(first, now)).not.toBe(access.formToken(second, now));
    expect(access.formToken({}, now)).toBeUndefined();
  });
});

const openDoor = (): Access => createAccess({ password: () => password, signer, isSecure: false });

describe('guesses', () => {
  test('are not looked at any more after five wrong ones from an address, right or not, until a minute has passed', () => {
    const door = openDoor();
    for (let guess = 0; guess < 5; guess += 1) expect(door.signIn('wrong', 'a', now).admission).toBe('refused');
    expect(door.signIn(password, 'a', now + 59_999).admission).toBe('throttled');
    expect(door.admits({ ...asks({ authorization: `Bearer ${password}` }), address: 'a' }, now + 59_999)).toBe('throttled');
    expect(door.signIn(password, 'b', now).admission).toBe('admitted');
    expect(door.signIn(password, 'a', now + 60_000).admission).toBe('admitted');
  });

  test('keep nobody out who is signed in', () => {
    const door = openDoor();
    const cookie = door.signIn(password, 'a', now).cookie?.split(';')[0];
    for (let guess = 0; guess < 9; guess += 1) door.signIn('wrong', 'a', now);
    expect(door.admits({ ...asks({ cookie }), address: 'a' }, now)).toBe('admitted');
  });

  test('are at most 60 a minute, wherever they come from', () => {
    assert(
      property(array(tuple(nat(500), nat(40)), { maxLength: 300 }), (tries) => {
        let at = now;
        let wrong: { at: number; address: string }[] = [];
        for (const [laterMs, from] of tries) {
          at += laterMs;
          if (mayGuess(wrong, String(from), at)) wrong = [...wrong, { at, address: String(from) }];
        }
        for (const { at: end } of wrong) {
          const minute = wrong.filter((guess) => guess.at <= end && end - guess.at < 60_000);
          expect(minute.length).toBeLessThanOrEqual(60);
          for (const { address } of minute) expect(minute.filter((guess) => guess.address === address).length).toBeLessThanOrEqual(5);
        }
      }),
    );
  });
});
