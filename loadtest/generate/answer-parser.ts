import { bodyLength, BrokenHttpError, inChunks, parseFields, parseHead, untilClose, type AnswerHead } from './answer-head.ts';
import type { Step } from './step.ts';

type State = 'head' | 'sized' | 'until-close' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailers' | 'whole';

const mostHeadBytes = 16 * 1024;
/** A text has to hold it. */
const mostBodyBytes = 256 * 1024 * 1024;
/** At most eight digits, so that every size is a whole number; what may follow (RFC 9112, 7.1.1) says nothing to us. */
const chunkSize = /^([\da-f]{1,8})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/i;

/**
 * Reads the answers to the requests of one connection, one after the other, as strictly as RFC 9112 lets a client be: what
 * this client would only guess at, another one guesses otherwise. Bytes may come in any pieces.
 */
export class AnswerParser {
  #state: State = 'whole';
  #method: Step['method'] = 'GET';
  #head: AnswerHead | undefined;
  #hasBegun = false;
  /** The beginning of a line, or of a head, that is not all here. */
  #begun = '';
  #leftBytes = 0;
  #bodyBytes = 0;
  #text: string | undefined;
  #parts: Buffer[] = [];
  /** Where the next step goes on. */
  #at = 0;

  /** From now on the answer to such a request is read. */
  begin(method: Step['method']): void {
    this.#state = 'head';
    this.#method = method;
    this.#head = undefined;
    this.#hasBegun = false;
    this.#begun = '';
    this.#bodyBytes = 0;
    this.#text = undefined;
    this.#parts = [];
  }

  /**
   * Reads the first `size` bytes of what may be overwritten afterwards.
   * @returns whether the answer is whole now
   * @throws {BrokenHttpError} when they break HTTP, also for bytes behind the end of the answer: nobody has asked for them
   */
  take(bytes: Buffer, size: number): boolean {
    this.#hasBegun = true;
    this.#at = 0;
    while (this.#at < size) this.#step(bytes, size);
    return this.#state === 'whole';
  }

  /** The server has closed. @returns whether that is how this answer ends */
  end(): boolean {
    if (this.#state === 'until-close') this.#state = 'whole';
    return this.#state === 'whole';
  }

  /** Whether anything of the answer has come. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** The final head; undefined until it is complete. */
  get head(): AnswerHead | undefined {
    return this.#head;
  }

  get bodyBytes(): number {
    return this.#bodyBytes;
  }

  /** What has come of the body. */
  body(): string {
    return this.#text ?? (this.#parts.length === 0 ? '' : Buffer.concat(this.#parts).toString('utf8'));
  }

  #step(bytes: Buffer, size: number): void {
    switch (this.#state) {
      case 'head':
        return this.#readHead(bytes, size);
      case 'sized':
      case 'until-close':
      case 'chunk':
        return this.#readBody(bytes, size);
      case 'chunk-size':
        return this.#readChunkSize(this.#upTo('\r\n', bytes, size));
      case 'chunk-end':
        return this.#readChunkEnd(this.#upTo('\r\n', bytes, size));
      case 'trailers':
        return this.#readTrailer(this.#upTo('\r\n', bytes, size));
      case 'whole':
        throw new BrokenHttpError('more bytes came than the answer has');
    }
  }

  #readHead(bytes: Buffer, size: number): void {
    const lines = this.#upTo('\r\n\r\n', bytes, size);
    if (lines === undefined) return;
    const head = parseHead(lines);
    if (head.status === 101) throw new BrokenHttpError('101 switches to a protocol nobody asked for');
    // More follow an interim answer, whether or not it was asked for (RFC 9110, 15.2).
    if (head.status < 200) return;
    const length = bodyLength(head, this.#method);
    this.#head = length === untilClose ? { ...head, isLast: true } : head;
    this.#leftBytes = length;
    this.#state = length === 0 ? 'whole' : length === inChunks ? 'chunk-size' : length === untilClose ? 'until-close' : 'sized';
  }

  #readBody(bytes: Buffer, size: number): void {
    const [from, length] = [this.#at, Math.min(size - this.#at, this.#leftBytes)];
    this.#bodyBytes += length;
    if (this.#bodyBytes > mostBodyBytes) throw new BrokenHttpError(`the body is longer than ${mostBodyBytes} bytes`);
    const isAll = this.#state === 'sized' && length === this.#leftBytes && length === this.#bodyBytes;
    // Most bodies come in one piece, which is not worth a copy.
    if (isAll) this.#text = bytes.toString('utf8', from, from + length);
    else this.#parts.push(Buffer.from(bytes.subarray(from, from + length)));
    this.#at += length;
    this.#leftBytes -= length;
    if (this.#leftBytes === 0) this.#state = this.#state === 'chunk' ? 'chunk-end' : 'whole';
  }

  #readChunkSize(line: string | undefined): void {
    if (line === undefined) return;
    const digits = chunkSize.exec(line)?.[1];
    if (digits === undefined) throw new BrokenHttpError('the size of a chunk is no number');
    this.#leftBytes = Number.parseInt(digits, 16);
    this.#state = this.#leftBytes === 0 ? 'trailers' : 'chunk';
  }

  #readChunkEnd(line: string | undefined): void {
    if (line === undefined) return;
    if (line !== '') throw new BrokenHttpError('a chunk is longer than it says');
    this.#state = 'chunk-size';
  }

  #readTrailer(line: string | undefined): void {
    if (line === '') this.#state = 'whole';
    else if (line !== undefined) parseFields(`\r\n${line}`);
  }

  /** What stands before the next mark; undefined, and kept, while that has not come. */
  #upTo(mark: string, bytes: Buffer, size: number): string | undefined {
    const [from, before] = [this.#at, this.#begun.length];
    const found = before === 0 ? bytes.indexOf(mark, from, 'latin1') : -1;
    if (found !== -1 && found + mark.length <= size && found - from <= mostHeadBytes) {
      this.#at = found + mark.length;
      return bytes.toString('latin1', from, found);
    }
    this.#begun += bytes.toString('latin1', from, Math.min(size, from + mostHeadBytes + mark.length));
    const end = this.#begun.indexOf(mark, Math.max(0, before - mark.length + 1));
    if ((end === -1 ? this.#begun.length - mark.length + 1 : end) > mostHeadBytes)
      throw new BrokenHttpError(`a head or a line is longer than ${mostHeadBytes} bytes`);
    if (end === -1) {
      this.#at = size;
      return undefined;
    }
    const line = this.#begun.slice(0, end);
    this.#begun = '';
    this.#at = from + end + mark.length - before;
    return line;
  }
}
