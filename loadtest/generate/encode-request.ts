import type { Step } from './step.ts';

const asPath = /^[\x21-\xff]+$/;
const asName = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/;
const asValue = /^[\t\x20-\x7e\x80-\xff]*$/;
/** They say where a request ends or what the connection is: two answers to that are two requests. */
const framing: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'te', 'trailer', 'upgrade', 'expect', 'keep-alive']);
const expectsBody = /^P/;

/**
 * A request as it stands on the wire, ready for one write: text of single-byte characters where it has no body.
 * @param host of the target; a header field of the step may name another
 * @throws {RangeError} naming what cannot stand in a request, without its value
 */
export function encodeRequest({ method, path, headers, body }: Step, host: string): string | Buffer {
  if (!asPath.test(path)) throw new RangeError('the path cannot stand in a request');
  let fields = '';
  let namesHost = false;
  let namesConnection = false;
  for (const name in headers) {
    const value = headers[name] ?? '';
    if (!asName.test(name) || !asValue.test(value))
      throw new RangeError(`the header field ${JSON.stringify(name)} cannot stand in a request`);
    const field = name.toLowerCase();
    if (framing.has(field)) throw new RangeError(`the header field ${name} is not for a script to set`);
    namesHost ||= field === 'host';
    namesConnection ||= field === 'connection';
    fields += `${name}: ${value}\r\n`;
  }
  const own = `${namesHost ? '' : `host: ${host}\r\n`}${namesConnection ? '' : 'connection: keep-alive\r\n'}`;
  const head = `${method} ${path} HTTP/1.1\r\n${own}${fields}`;
  if (body === undefined) return `${head}${expectsBody.test(method) ? 'content-length: 0\r\n' : ''}\r\n`;
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from(`${head}content-length: ${bytes.length}\r\n\r\n`, 'latin1'), bytes]);
}
