import { createConnection, type Socket } from 'node:net';

/**
 * A client that costs less than any server: it writes requests as they are and looks at nothing of an answer but its
 * status and its end. Runs in a process of its own; `overload.ts` starts it.
 */

export type ClientJob = {
  readonly port: number;
  /** Whole requests, sent in turn; `{n}` in them counts. */
  readonly requests: readonly string[];
  readonly connections: number;
  /** Sends so many a second, answered or not; absent: each connection sends its next one the moment the last is answered. */
  readonly perSecond?: number;
  /** Each connection sends so many at most. */
  readonly times?: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
};

export type Answered = { readonly count: number; readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };

export type ClientReport = {
  /** By status; latency from the moment a request was due. */
  readonly statuses: Readonly<Record<string, Answered>>;
  /** Due while every connection was waiting for an answer. */
  readonly unsent: number;
  /** Connections that ended with a request under way. */
  readonly broken: number;
};

type Line = { socket: Socket; sentMs: number; buffered: string; sent: number };

class Client {
  readonly #job: ClientJob;
  readonly #free: Line[] = [];
  readonly #latencies = new Map<string, number[]>();
  #number = 0;
  #unsent = 0;
  #broken = 0;
  #isOver = false;
  #countsFromMs = Infinity;

  constructor(job: ClientJob) {
    this.#job = job;
  }

  async play(): Promise<ClientReport> {
    const { connections, warmUpMs, durationMs, perSecond } = this.#job;
    const lines = await Promise.all(Array.from({ length: connections }, () => this.#open()));
    const startedMs = performance.now();
    this.#countsFromMs = startedMs + warmUpMs;
    const endsMs = this.#countsFromMs + durationMs;
    if (perSecond === undefined) for (const line of lines) this.#send(line, performance.now());
    else this.#free.push(...lines);
    let due = 0;
    for (let nowMs = startedMs; nowMs < endsMs && !this.#isDone(lines); nowMs = performance.now()) {
      const dueNow = perSecond === undefined ? 0 : Math.floor(((nowMs - startedMs) * perSecond) / 1_000);
      for (; due < dueNow; due += 1) this.#arrive(nowMs);
      await new Promise((resolve) => setTimeout(resolve, perSecond === undefined ? 20 : 1));
    }
    this.#isOver = true;
    for (const { socket } of lines) socket.destroy();
    const statuses = Object.fromEntries([...this.#latencies].map(([status, all]) => [status, answered(all)]));
    return { statuses, unsent: this.#unsent, broken: this.#broken };
  }

  #isDone(lines: readonly Line[]): boolean {
    const { times } = this.#job;
    return times !== undefined && lines.every(({ sent, sentMs }) => sent >= times && sentMs === 0);
  }

  #arrive(nowMs: number): void {
    const line = this.#free.pop();
    if (line) this.#send(line, nowMs);
    else if (nowMs >= this.#countsFromMs) this.#unsent += 1;
  }

  #send(line: Line, nowMs: number): void {
    const { requests } = this.#job;
    const request = requests[this.#number % requests.length] ?? '';
    line.sentMs = nowMs;
    line.sent += 1;
    line.socket.write(request.replace('{n}', String((this.#number += 1))));
  }

  async #open(): Promise<Line> {
    const line: Line = { socket: await connect(this.#job.port), sentMs: 0, buffered: '', sent: 0 };
    this.#attach(line);
    return line;
  }

  #attach(line: Line): void {
    line.socket.setEncoding('latin1').on('data', (text: string) => this.#read(line, text));
    line.socket.on('error', () => {});
    line.socket.on('close', () => void this.#reopen(line));
  }

  async #reopen(line: Line): Promise<void> {
    if (this.#isOver) return;
    const wasBusy = line.sentMs > 0;
    if (wasBusy) this.#broken += 1;
    line.buffered = '';
    line.socket = await connect(this.#job.port);
    this.#attach(line);
    if (wasBusy) this.#next(line);
  }

  #read(line: Line, text: string): void {
    line.buffered += text;
    const headEnd = line.buffered.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(line.buffered.slice(0, headEnd))?.[1] ?? 0);
    if (line.buffered.length < headEnd + 4 + length) return;
    const nowMs = performance.now();
    if (nowMs >= this.#countsFromMs) {
      const status = line.buffered.slice(9, 12);
      let all = this.#latencies.get(status);
      if (!all) this.#latencies.set(status, (all = []));
      all.push(nowMs - line.sentMs);
    }
    line.buffered = '';
    this.#next(line);
  }

  #next(line: Line): void {
    line.sentMs = 0;
    if (this.#isOver) return;
    if (this.#job.perSecond !== undefined) this.#free.push(line);
    else if (line.sent < (this.#job.times ?? Infinity)) this.#send(line, performance.now());
  }
}

function connect(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

function answered(latencies: number[]): Answered {
  const sorted = Float64Array.from(latencies).toSorted();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

process.once('message', (job: ClientJob) => {
  void new Client(job).play().then((report) => process.send?.(report, () => process.exit(0)));
});
