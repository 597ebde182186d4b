import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isCommandSigned, type Signer } from '../quiet/signature.ts';

/** A password that was not right: from where, and when, in ms of the epoch. */
export type WrongGuess = { readonly at: number; readonly address: string };

const guessWindowMs = 60_000;
const guessesOfAddress = 5;
const guessesOfAll = 60;

/**
 * Whether one more password is looked at: not after 5 wrong ones from an address, or 60 from everywhere, within a minute. Who
 * is signed in, and who may read the monitor's folder, guesses nothing and goes on. Pure.
 */
export function mayGuess(wrong: readonly WrongGuess[], address: string, now: number): boolean {
  const recent = recentGuesses(wrong, now);
  return recent.length < guessesOfAll && recent.filter((guess) => guess.address === address).length < guessesOfAddress;
}

/** Those that still count; a clock set back makes none count for longer. Pure. */
export const recentGuesses = (wrong: readonly WrongGuess[], now: number): readonly WrongGuess[] =>
  wrong.filter(({ at }) => at <= now && now - at < guessWindowMs);

/** `closed`: no password is set, so nobody can be let in by one. */
export type Admission = 'admitted' | 'refused' | 'throttled' | 'closed';

export type Asker = { readonly headers: IncomingHttpHeaders; readonly method: string; readonly path: string; readonly address: string };

/** Who is an operator. Everybody else is the public. */
export type Access = {
  /** By the cookie of a session, by `Bearer PASSWORD`, or by the signature of somebody who may read the monitor's folder. */
  readonly admits: (asker: Asker, now: number) => Admission;
  /** @returns the cookie of a new session, when the password is right */
  readonly signIn: (given: string, address: string, now: number) => { readonly admission: Admission; readonly cookie?: string };
  /** A cookie that ends the session of whoever gets it. */
  readonly signOutCookie: string;
  /** What a form of this session carries, so that no other page can send it; undefined outside of one. */
  readonly formToken: (headers: IncomingHttpHeaders, now: number) => string | undefined;
};

export type AccessDeps = {
  /** Asked each time, since a reload may change it; undefined: no password lets anybody in. */
  readonly password: () => string | undefined;
  readonly signer: Signer;
  /** Whether people come by https alone; the cookie then never leaves it. */
  readonly isSecure: boolean;
};

const cookieName = 'atalaya_session';
const sessionMs = 12 * 3_600_000;

/** Sessions are kept nowhere: the cookie says when it ends, signed, and a change of the password ends them all. */
export function createAccess({ password, signer, isSecure }: AccessDeps): Access {
  let wrong: readonly WrongGuess[] = [];
  const guess = (given: string, address: string, now: number): Admission => {
    const right = password();
    if (right === undefined) return 'closed';
    if (!mayGuess(wrong, address, now)) return 'throttled';
    if (isSame(given, right)) return 'admitted';
    wrong = [...recentGuesses(wrong, now), { at: now, address }];
    return 'refused';
  };
  const sessionText = (endsAt: string): string => `${endsAt}\n${digest(password() ?? '').toString('base64url')}`;
  const sessionOf = (headers: IncomingHttpHeaders, now: number): string | undefined => {
    const [, endsAt = '', signature = ''] = new RegExp(`(?:^|;\\s*)${cookieName}=(\\d{1,15})\\.([\\w-]+)`).exec(headers.cookie ?? '') ?? [];
    const isValid = password() !== undefined && Number(endsAt) > now && signer.isSigned('session', sessionText(endsAt), signature);
    return isValid ? `${endsAt}.${signature}` : undefined;
  };
  const cookieOf = (value: string, maxAgeS: number): string =>
    `${cookieName}=${value}; Path=/; Max-Age=${maxAgeS}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
  return {
    admits: ({ headers, method, path, address }, now) => {
      const { authorization = '' } = headers;
      if (authorization.startsWith('Bearer ')) return guess(authorization.slice('Bearer '.length), address, now);
      if (isCommandSigned(signer, authorization, { body: `${method} ${path}`, now })) return 'admitted';
      if (sessionOf(headers, now) !== undefined) return 'admitted';
      return password() === undefined ? 'closed' : 'refused';
    },
    signIn: (given, address, now) => {
      const admission = guess(given, address, now);
      if (admission !== 'admitted') return { admission };
      const endsAt = String(now + sessionMs);
      return { admission, cookie: cookieOf(`${endsAt}.${signer.sign('session', sessionText(endsAt))}`, sessionMs / 1_000) };
    },
    signOutCookie: cookieOf('', 0),
    formToken: (headers, now) => {
      const session = sessionOf(headers, now);
      return session === undefined ? undefined : signer.sign('form', session);
    },
  };
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** In a time that says nothing of either. */
const isSame = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));
