import { loadtestKey, operatorKey } from '../support/api-process.ts';
import type { Contract, Operation } from '../support/contract.ts';
import type { RawAnswer } from '../support/raw-http.ts';
import type { Case } from './create-case.ts';

/** What came of a case: an answer, or why there is none. */
export type Outcome = { readonly answer: RawAnswer } | { readonly failure: string };

/** What in an outcome is not as documented, or never may be; nothing, where all is well. Pure. */
export function faultsOf(contract: Contract, { operation, isHead }: Case, outcome: Outcome): string[] {
  if ('failure' in outcome) return [outcome.failure];
  const { answer } = outcome;
  return [...ownFaults(operation, answer), ...leaks(answer), ...contractFaults(contract, { operation, isHead }, answer)];
}

/** Nothing that is needed is ever out while this is played. */
function ownFaults(operation: Operation | undefined, { status, text }: RawAnswer): string[] {
  if (status < 500 || status === 501) return [];
  // Passwords are hashed a few at a time, and whoever waits too long for that is turned away.
  const isTurnedAway = status === 503 && text.includes('"code":"overloaded"') && hashes(operation);
  return isTurnedAway ? [] : [`${status}: ${text.slice(0, 300)}`];
}

const hashes = (operation: Operation | undefined): boolean => operation === undefined || operation.path.startsWith('/clients');

const secrets = [
  operatorKey,
  loadtestKey,
  'a secret of the tests alone',
  '$scrypt$',
  'password_hash',
  'node_modules',
  'syntax error at',
  'relation "',
];
const stackLine = /\n?\s+at .*:\d+:\d+/;

function leaks({ headers, text }: RawAnswer): string[] {
  const all = `${JSON.stringify(headers)}${text}`;
  const told = secrets.filter((secret) => all.includes(secret)).map((secret) => `tells ${secret}`);
  return [...told, ...(stackLine.test(text) ? ['tells a stack'] : []), ...('x-injected' in headers ? ['lets headers be injected'] : [])];
}

function contractFaults(contract: Contract, { operation, isHead }: Pick<Case, 'operation' | 'isHead'>, answer: RawAnswer): string[] {
  const against = (one: Operation | undefined): string[] => {
    if (!isHead) return contract.answerFaults(one, answer);
    const documented = one ? one.statuses.includes(answer.status) : answer.status >= 400;
    return documented && answer.text === '' ? [] : [`HEAD: ${answer.status} with ${answer.text.length} bytes`];
  };
  if (operation) return against(operation);
  // Wherever it led, it was answered as documented there.
  const [stray, ...others] = [undefined, ...contract.operations].map(against);
  return others.some((faults) => faults.length === 0) ? [] : (stray ?? []);
}

/** A line for a shell that repeats a case against `$HOST` and `$PORT`. Pure. */
export function commandOf({ request }: Pick<Case, 'request'>): string {
  const text = request.toString('latin1').replace(/Bearer eyJ[\w.-]+/, 'Bearer TOKEN');
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [, method, target] = /^([A-Z]+) (\/[!-~]*) HTTP\/1\.1\r\n/.exec(head) ?? [];
  const lines = head.split('\r\n').slice(1);
  const body = rest.join('\r\n\r\n');
  if (!isCurlable(lines, target)) return `printf '%b' ${quoted(escaped(text))} | nc $HOST $PORT`;
  const headers = lines.filter((line) => !/^content-length:/i.test(line)).map((line) => `-H ${quoted(line)}`);
  const data = body === '' ? [] : [`--data-binary $'${escaped(body)}'`];
  return ['curl -sS --path-as-is', `-X ${method}`, ...headers, ...data, `"http://$HOST:$PORT"${quoted(target ?? '')}`].join(' ');
}

const isCurlable = (lines: readonly string[], target: string | undefined): boolean =>
  target !== undefined && lines.every((line) => /^[\w-]+: [ -~]*$/.test(line) && !/^transfer-encoding:/i.test(line));
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
const escaped = (bytes: string): string =>
  bytes.replaceAll(/[^ -&(-[\]-~]/g, (letter) => `\\x${letter.codePointAt(0)?.toString(16).padStart(2, '0')}`);
