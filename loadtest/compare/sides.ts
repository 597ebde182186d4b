import { UsageError } from '#lib/errors.ts';
import { redactText } from '#lib/redact.ts';
import { ownStackEnvironment } from '../targets/local-stack.ts';
import { guardTarget } from '../targets/target-guard.ts';

/** One of the two that are compared, as --a and --b name it. */
export type Side =
  /** A service that runs already. */
  | { readonly kind: 'target'; readonly says: string; readonly origin: string }
  /** A throw-away stack of this source with these variables set. */
  | { readonly kind: 'settings'; readonly says: string; readonly settings: Readonly<Record<string, string>> }
  /** A throw-away stack of the source at this commit. */
  | { readonly kind: 'ref'; readonly says: string; readonly ref: string };

/** This source as it is, whatever is committed. */
const asItIs = '.';

/**
 * Reads what --a or --b names: `http://…`, `NAME=value,NAME=value`, a git ref, or `.`, this source as it is.
 * @throws {UsageError} saying what may stand there
 */
export function parseSide(flag: string, text: string, allowedHosts: readonly string[]): Side {
  if (text.includes('://')) return { kind: 'target', says: text, origin: guardTarget(text, allowedHosts) };
  if (text === asItIs) return { kind: 'settings', says: 'this source as it is', settings: {} };
  if (/^[A-Z][A-Z0-9_]*=/.test(text)) return { kind: 'settings', says: redactText(text), settings: parseSettings(flag, text) };
  if (/^[\w./@^~-]+$/.test(text) && !text.startsWith('-')) return { kind: 'ref', says: text, ref: text };
  throw new UsageError(`${flag} ${text} must be an address, settings such as DB_POOL_SIZE=5, a git ref, or . for this source as it is`);
}

function parseSettings(flag: string, text: string): Record<string, string> {
  const settings = Object.fromEntries(
    text.split(/,(?=[A-Z][A-Z0-9_]*=)/).map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
  const kept = ownStackEnvironment(settings, '', [0, 0, 0]);
  const lost = Object.keys(settings).filter((name) => kept[name] !== settings[name]);
  if (lost.length > 0)
    throw new UsageError(`${flag}: a stack of its own decides ${lost.join(', ')} itself; compare services that run with URLs`);
  return settings;
}

/** @throws {UsageError} when the two cannot be compared */
export function assertComparable(a: Side, b: Side): void {
  if ((a.kind === 'target') === (b.kind === 'target')) return;
  throw new UsageError(
    '--a and --b must both be addresses, or neither: a service that runs and a stack of its own do not share a machine alike',
  );
}
