import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, UnreachableError } from '#lib/errors.ts';
import { StoreError } from '../store/database.ts';
import type { MonitorStore } from '../store/store.ts';

export type Purpose = 'ack' | 'command' | 'session' | 'form' | 'beat';

/** Says what this monitor, or whoever may read its folder, has written. */
export type Signer = {
  /** A text that fits into a URL. `purpose` keeps what was signed for one thing from counting for another. */
  readonly sign: (purpose: Purpose, text: string) => string;
  readonly isSigned: (purpose: Purpose, text: string, signature: string) => boolean;
};

const keyFile = (dir: string): string => join(dir, 'monitor.key');

/**
 * The signer of a monitor's folder; its key is made at the first start and readable by the monitor's user alone, so links in
 * messages outlive restarts.
 * @throws {NodeJS.ErrnoException} when the folder cannot be used
 */
export function openSigner(dir: string): Signer {
  const file = keyFile(dir);
  if (!existsSync(file)) {
    // Whole or not at all: a key cut off by a crash would be another one.
    writeFileSync(`${file}.unfinished`, randomBytes(32), { mode: 0o600, flush: true });
    renameSync(`${file}.unfinished`, file);
  }
  return signerOf(readFileSync(file));
}

/** The signer of a monitor that runs. @throws {UnreachableError} when none has used the folder, or it may not be read */
export function readSigner(dir: string): Signer {
  try {
    return signerOf(readFileSync(keyFile(dir)));
  } catch (err) {
    const cure = 'run this as its user, with its MONITOR_DATA_DIR';
    throw new UnreachableError(`the key of the monitor in ${dir} cannot be read (${messageOf(err)}); ${cure}`, { cause: err });
  }
}

function signerOf(key: Buffer): Signer {
  const sign: Signer['sign'] = (purpose, text) => createHmac('sha256', key).update(`${purpose}\n${text}`).digest('base64url');
  return {
    sign,
    isSigned: (purpose, text, signature) => {
      const [given, right] = [Buffer.from(signature), Buffer.from(sign(purpose, text))];
      return given.length === right.length && timingSafeEqual(given, right);
    },
  };
}

const mostApartMs = 60_000;

/** What a command to a running monitor carries as `authorization`: when it was signed, and over what. */
export const signCommand = (signer: Signer, body: string, now: number): string =>
  `Signed ${now}.${signer.sign('command', `${now}\n${body}`)}`;

/** Whether a command was signed within the last minute by somebody who may read the folder. */
export function isCommandSigned(
  signer: Signer,
  authorization: string | undefined,
  { body, now }: { readonly body: string; readonly now: number },
): boolean {
  const [, at, signature = ''] = /^Signed (\d{1,15})\.([\w-]+)$/.exec(authorization ?? '') ?? [];
  return Math.abs(now - Number(at)) <= mostApartMs && signer.isSigned('command', `${at}\n${body}`, signature);
}

/** How long a link of a message counts, in ms; each reminder brings a new one. */
export const linkCountsMs = 7 * 86_400_000;

/** By what whoever was told takes on one incident, and nothing else. `until`: ms of the epoch. */
export type SignedLink = { readonly incident: string; readonly until: string; readonly signature: string };

const linkText = ({ incident, until }: Omit<SignedLink, 'signature'>): string => `${until}\n${incident}`;

export function signLink(signer: Signer, incident: string, now: number): SignedLink {
  const until = String(now + linkCountsMs);
  return { incident, until, signature: signer.sign('ack', linkText({ incident, until })) };
}

/** Whether a link counts. `forged`: nobody signed it as it is. `ended`: it is older than a link counts. */
export function judgeLink(signer: Signer, link: SignedLink, now: number): 'good' | 'ended' | 'forged' {
  if (!/^\d{1,15}$/.test(link.until) || !signer.isSigned('ack', linkText(link), link.signature)) return 'forged';
  return now < Number(link.until) ? 'good' : 'ended';
}

/** Says that a signed command is taken; false when it was before, over every restart. */
export type TakeNonce = (nonce: string) => boolean;

/** A store that takes nothing just then keeps nobody from acting: what was taken meanwhile is remembered here. */
export function createNonces(store: Pick<MonitorStore, 'takeNonce'>, now: () => number): TakeNonce {
  const taken = new Set<string>();
  return (nonce) => {
    if (taken.has(nonce)) return false;
    try {
      return store.takeNonce(nonce, now());
    } catch (err) {
      if (!(err instanceof StoreError)) throw err;
      taken.add(nonce);
      return true;
    }
  };
}
