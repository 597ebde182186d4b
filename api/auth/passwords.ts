import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';
import { createTurns } from './turns.ts';

/** `signal` fires when the client has left: a password that still waits for its turn is then not worked on. */
export type Passwords = {
  /** A salted hash with its parameters, to be stored. @throws overloaded */
  readonly hash: (password: string, signal?: AbortSignal) => Promise<string>;
  /**
   * Whether the password is the one hashed. Takes as long when there is no hash to compare with, so that the time of an
   * answer does not tell which e-mail addresses have an account.
   * @param find looks the hash up; asked only when the turn has come, so that who is refused, or has left, costs no question
   * @throws overloaded
   */
  readonly verify: (password: string, find: () => Promise<string | undefined>, signal?: AbortSignal) => Promise<boolean>;
};

export type PasswordsOptions = {
  /** How many passwords are worked on at the same time. Each takes 16 MiB and a thread of the process's four. */
  readonly concurrency: number;
  /** Who would wait longer for its turn is refused at once; default 1 s. */
  readonly maxWaitMs?: number;
};

/** @see https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#scrypt */
const cost = { ln: 14, r: 8, p: 5 };
const keyBytes = 32;
const saltBytes = 16;

/** Hashes passwords with scrypt, no more than `concurrency` at once. */
export function createPasswords(options: PasswordsOptions): Passwords {
  const run = createTurns({ concurrency: options.concurrency, maxWaitMs: options.maxWaitMs ?? 1_000, firstGuessMs: 150 });
  const hash: Passwords['hash'] = (password, signal) =>
    run(async () => {
      const salt = randomBytes(saltBytes);
      const key = await deriveKey(password, salt, cost);
      return `$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}$${encode(salt)}$${encode(key)}`;
    }, signal);
  const verify: Passwords['verify'] = (password, find, signal) =>
    run(async () => {
      const parsed = parseHash(await find());
      const { salt, key, cost: storedCost } = parsed ?? nobody;
      const candidate = await deriveKey(password, salt, storedCost);
      return timingSafeEqual(candidate, key) && parsed !== undefined;
    }, signal);
  return { hash, verify };
}

type Cost = typeof cost;
type ParsedHash = { readonly cost: Cost; readonly salt: Buffer; readonly key: Buffer };

const nobody: ParsedHash = { cost, salt: Buffer.alloc(saltBytes), key: Buffer.alloc(keyBytes) };

function parseHash(stored: string | undefined): ParsedHash | undefined {
  const match = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]{43})$/.exec(stored ?? '');
  if (!match) return undefined;
  const [, ln, r, p, salt = '', key = ''] = match;
  return {
    cost: { ln: Number(ln), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, 'base64'),
    key: Buffer.from(key, 'base64'),
  };
}

/** Base64 without padding, as password hash strings have it. */
const encode = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');

function deriveKey(password: string, salt: Buffer, { ln, r, p }: Cost): Promise<Buffer> {
  const options: ScryptOptions = { N: 2 ** ln, r, p, maxmem: 256 * 2 ** ln * r };
  return new Promise((resolve, reject) => {
    // The same password typed on two keyboards may differ in its composed characters.
    scrypt(password.normalize('NFKC'), salt, keyBytes, options, (err, key) => (err ? reject(err) : resolve(key)));
  });
}
