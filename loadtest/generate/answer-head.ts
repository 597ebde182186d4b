import type { Answer, Step } from './step.ts';

/** The bytes of a server break HTTP/1.1; the message says how, in words without anything that was received. */
export class BrokenHttpError extends Error {}

/** Of an answer: what comes before its body. */
export type AnswerHead = Pick<Answer, 'status' | 'headers'> & {
  readonly isHttp10: boolean;
  /** Whether the server closes the connection behind this answer. */
  readonly isLast: boolean;
};

const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?/;
/** No line folded, no blank before the colon, no control character: a proxy may read each of these otherwise than we. */
const wellFormed = /^(?:\r\n[!#$%&'*+.^_`|~\dA-Za-z-]+:[\t\x20-\x7e\x80-\xff]*)*$/;

/**
 * @param lines up to the empty line, and without it
 * @throws {BrokenHttpError}
 */
export function parseHead(lines: string): AnswerHead {
  const first = statusLine.exec(lines);
  if (!first) throw new BrokenHttpError('what came is no status line of HTTP/1.0 or HTTP/1.1');
  const isHttp10 = first[1] === '0';
  const headers = parseFields(lines, first[0].length);
  return { isHttp10, status: Number(first[2]), headers, isLast: closesAfter(headers['connection'] ?? '', isHttp10) };
}

const closesAfter = (connection: string, isHttp10: boolean): boolean =>
  /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i.test(connection) || (isHttp10 && !/keep-alive/i.test(connection));

/**
 * Fields, each behind a line's end, from there on: names in lower case, repeated ones joined as RFC 9110 (5.3) says.
 * @throws {BrokenHttpError}
 */
export function parseFields(lines: string, from = 0): Record<string, string> {
  // A name such as __proto__ is one like any other.
  const fields = Object.create(null) as Record<string, string>;
  if (!wellFormed.test(from === 0 ? lines : lines.slice(from))) throw new BrokenHttpError('a header field is malformed');
  const isAscii = !/[\x80-\xff]/.test(lines);
  let start = from;
  while (start < lines.length) {
    const colon = lines.indexOf(':', start);
    const next = lines.indexOf('\r\n', colon);
    const end = next === -1 ? lines.length : next;
    const name = lines.slice(start + 2, colon).toLowerCase();
    const padded = unpadded(lines, colon + 1, end);
    const value = isAscii ? padded : Buffer.from(padded, 'latin1').toString('utf8');
    const known = fields[name];
    fields[name] = known === undefined ? value : `${known}, ${value}`;
    start = end;
  }
  return fields;
}

/** Without blanks and tabs around it; others are part of a value. */
function unpadded(lines: string, from: number, to: number): string {
  let [start, end] = [from, to];
  while (start < end && isBlank(lines.charCodeAt(start))) start += 1;
  while (end > start && isBlank(lines.charCodeAt(end - 1))) end -= 1;
  return lines.slice(start, end);
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

export const untilClose = Number.POSITIVE_INFINITY;
export const inChunks = -1;

/**
 * How long the body is in bytes, or how else its end is told.
 * @throws {BrokenHttpError} when that is told in two ways, or wrongly
 * @see RFC 9112, 6.3
 */
export function bodyLength({ status, headers, isHttp10 }: AnswerHead, method: Step['method']): number {
  const { 'transfer-encoding': coding, 'content-length': length } = headers;
  if (coding !== undefined && (isHttp10 || length !== undefined || coding.toLowerCase() !== 'chunked'))
    throw new BrokenHttpError('Transfer-Encoding is not chunked alone, stands beside Content-Length, or in HTTP/1.0');
  if (length !== undefined && !/^\d{1,15}$/.test(length)) throw new BrokenHttpError('Content-Length is not one number');
  if (status === 204 && (coding ?? length ?? '0') !== '0') throw new BrokenHttpError('204 announces a body, and has none');
  if (method === 'HEAD' || status === 204 || status === 304) return 0;
  if (coding !== undefined) return inChunks;
  return length === undefined ? untilClose : Number(length);
}
