import type { IncomingMessage } from 'node:http';
import getRawBody from 'raw-body';
import { ApiError, ClientGoneError } from '../errors.ts';
import { escapePointer } from './validate.ts';

/** Bounds on what a body may be, before anything looks at its meaning. */
export const bodyLimits = { maxBytes: 256 * 1024, maxDepth: 20, maxDroppedBytes: 8 * 1024 * 1024 } as const;

/** Whether the request carries a body, which may still turn out empty. */
export function hasBody(req: IncomingMessage): boolean {
  const length = req.headers['content-length'];
  return req.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

/**
 * Reads a JSON body: UTF-8, of bounded size and depth, without NUL characters, which PostgreSQL cannot store.
 * @throws {ApiError} without repeating any of the body
 * @throws {ClientGoneError} when the connection ended first
 */
export async function readJsonBody(req: IncomingMessage): Promise<unknown> {
  assertJsonType(req);
  // A request without a body has ended before anybody listens (see createHttpServer).
  const bytes = hasBody(req) ? await readBytes(req) : noBytes;
  const text = decode(bytes);
  if (text.trim() === '') throw malformed('The body is empty; a JSON object is expected.');
  if (depthOf(text) > bodyLimits.maxDepth) throw malformed(`The body is nested more than ${bodyLimits.maxDepth} levels deep.`);
  const body = parse(text);
  if (text.includes(String.raw`\u0000`)) refuseNul(body);
  return body;
}

const noBytes = Buffer.alloc(0);

function assertJsonType(req: IncomingMessage): void {
  const { 'content-type': type = 'application/json', 'content-encoding': encoding = 'identity' } = req.headers;
  if (encoding.toLowerCase() !== 'identity') {
    throw new ApiError('unsupported_media_type', 'The body must be sent without Content-Encoding.');
  }
  const [mediaType = '', ...parameters] = type.toLowerCase().split(';');
  const charset = parameters.map((parameter) => /^\s*charset="?([^"]*)"?\s*$/.exec(parameter)?.[1]).find((value) => value !== undefined);
  const isJson = /^application\/(?:json|[\w.-]+\+json)$/.test(mediaType.trim());
  if (!isJson || (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8')) {
    throw new ApiError('unsupported_media_type', 'The body must be sent as application/json in UTF-8.');
  }
}

async function readBytes(req: IncomingMessage): Promise<Buffer> {
  try {
    return await getRawBody(req, { limit: bodyLimits.maxBytes, length: req.headers['content-length'] ?? null });
  } catch (err) {
    const { type } = err as { type?: string };
    if (type === 'entity.too.large') throw tooLarge(req);
    if (type === 'request.size.invalid') throw malformed('The body is not as long as Content-Length says.');
    throw new ClientGoneError();
  }
}

/** A moderate rest of the body is read and dropped: closing on a client that still sends could cost it the answer. */
function tooLarge(req: IncomingMessage): ApiError {
  const isModerate = Number(req.headers['content-length'] ?? Infinity) <= bodyLimits.maxDroppedBytes;
  if (isModerate) req.resume();
  return new ApiError('payload_too_large', `The body may have ${bodyLimits.maxBytes} bytes at most.`, {
    headers: isModerate ? {} : { Connection: 'close' },
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw malformed('The body is not valid UTF-8.');
  }
}

/** Deepest nesting of objects and arrays, without recursion: the text comes from a stranger. */
export function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let index = 0; index < text.length; index += 1) {
    const char = text.charCodeAt(index);
    if (char === quote) index = endOfString(text, index);
    else if (char === openBrace || char === openBracket) deepest = Math.max(deepest, (depth += 1));
    else if (char === closeBrace || char === closeBracket) depth -= 1;
  }
  return deepest;
}

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket] = [34, 92, 123, 125, 91, 93];

function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index += 1) {
    const char = text.charCodeAt(index);
    if (char === backslash) index += 1;
    else if (char === quote) return index;
  }
  return text.length;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (err) {
    // The parser's message quotes the body, which may hold a password; only the place is passed on.
    const place = /line \d+ column \d+/.exec(err instanceof Error ? err.message : '')?.[0];
    throw malformed(`The body is not valid JSON${place === undefined ? '' : ` (${place})`}.`);
  }
}

/** @throws validation_failed naming every text, and every name of a member, that holds NUL */
function refuseNul(body: unknown): void {
  const errors = pointersToNul(body, '').map((pointer) => ({ pointer, message: 'must not contain NUL characters' }));
  if (errors.length > 0) throw new ApiError('validation_failed', 'The body cannot be accepted.', { errors });
}

function pointersToNul(value: unknown, pointer: string): string[] {
  if (typeof value === 'string') return value.includes('\0') ? [pointer] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name.includes('\0') ? [pointer] : pointersToNul(member, `${pointer}/${escapePointer(name)}`),
  );
}

function malformed(detail: string): ApiError {
  return new ApiError('malformed_json', detail, { errors: [{ pointer: '', message: detail }] });
}
