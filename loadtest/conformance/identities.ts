import { UsageError } from '#lib/errors.ts';
import type { Declared } from './exchange.ts';

/** How a request is made to come from one client: what it carries, and which address of this machine it leaves from. */
export type Identity = { readonly headers: Readonly<Record<string, string>>; readonly localAddress: string | undefined };

export type Identities = {
  /** How many there are; Infinity where they are made at will. */
  readonly count: number;
  readonly at: (index: number) => Identity;
};

/** Reads `--identity`. @throws {UsageError} */
export function parseIdentity(text: string): Declared['identity'] {
  if (text === 'ip' || text === 'token') return text;
  const name = text.startsWith('header:') ? text.slice('header:'.length) : '';
  if (/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return `header:${name}`;
  throw new UsageError(`--identity ${text} must be ip, token or header:NAME`);
}

/** Request fields whose values must be addresses; any other takes any text. */
const addressFields = ['x-forwarded-for', 'x-real-ip', 'x-client-ip', 'true-client-ip', 'cf-connecting-ip'];

export type IdentityOptions = {
  readonly identity: Declared['identity'];
  /** Host name of the target. */
  readonly host: string;
  /** Credentials for `Authorization: Bearer`; only asked for where clients are told apart by them. */
  readonly tokens: readonly string[];
  /** 0–65535, so that two runs in one period have different clients. */
  readonly run: number;
  readonly platform: NodeJS.Platform;
};

/**
 * Clients as the target tells them apart. By address there is one, this machine's; on Linux a target on 127.0.0.0/8 sees
 * as many as are wanted, since all of these addresses are this machine's.
 * @throws {UsageError} without a token where clients are told apart by tokens
 */
export function createIdentities({ identity, host, tokens, run, platform }: IdentityOptions): Identities {
  if (identity === 'token') {
    if (tokens.length === 0)
      throw new UsageError('--tokens FILE is missing: clients told apart by their credentials need some, one a line');
    return { count: tokens.length, at: (index) => plain({ Authorization: `Bearer ${tokens[index] ?? ''}` }) };
  }
  if (identity === 'ip') {
    const isLoopback = host.startsWith('127.') && platform === 'linux';
    if (!isLoopback) return { count: 1, at: () => plain({}) };
    return { count: Infinity, at: (index) => ({ headers: {}, localAddress: addressOf(127, run, index) }) };
  }
  const name = identity.slice('header:'.length);
  // 198.18.0.0/15 is for tests of networks, RFC 2544.
  const valueOf = addressFields.includes(name.toLowerCase())
    ? (index: number): string => addressOf(198, 18 * 256 + (run % 256), index)
    : (index: number): string => `conformance-${run}-${index}`;
  return { count: Infinity, at: (index) => plain({ [name]: valueOf(index) }) };
}

const plain = (headers: Readonly<Record<string, string>>): Identity => ({ headers, localAddress: undefined });

/** An address in a block of 254 that belongs to the run; further ones take the next blocks. Never .0 or .255, nor 127.0. */
function addressOf(first: number, run: number, index: number): string {
  const block = run + Math.floor(index / 254);
  const second = first === 127 ? 1 + (Math.floor(block / 256) % 254) : Math.floor(block / 256) % 256;
  return `${first}.${second}.${block % 256}.${1 + (index % 254)}`;
}
