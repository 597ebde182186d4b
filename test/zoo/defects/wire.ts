import { setTimeout as sleep } from 'node:timers/promises';
import type { Defect } from '../defect.ts';
import { oneProduct, placed, isReplay, aCentMore, onMatching } from '../shop.ts';
import { isFirstWorker, keepClients, onAnswer, onJson, setHeader } from '../tampering.ts';

/** What is wrong with the way answers come, and with what a server keeps: framing, time, workers, leaks, errors. A list, so it is as long as it is. */

const framing: readonly Defect[] = [
  {
    name: 'body-cut',
    kind: 'framing',
    says: 'one in 200 answers ends before its Content-Length, and the connection with it',
    expects: /answer-complete/,
    seed: { tamper: () => onMatching(/\/products/, 200, (answer) => (answer.cutAfter = Math.floor(answer.body.length / 2))) },
  },
  {
    name: 'length-too-short',
    kind: 'framing',
    says: 'Content-Length of one in 200 answers is a byte short',
    expects: /answer-complete/,
    seed: { tamper: () => onMatching(/\/products/, 200, (answer) => (answer.lengthOffBy = -1)) },
  },
  {
    name: 'length-too-long',
    kind: 'framing',
    says: 'Content-Length of one in 200 answers is ten bytes too long; the rest never comes',
    expects: /answer-complete/,
    seed: { tamper: () => onMatching(/\/products/, 200, (answer) => (answer.lengthOffBy = 10)) },
  },
];

const latency: readonly Defect[] = [
  {
    name: 'one-endpoint-slow',
    kind: 'latency',
    says: 'the list of categories, one in 25 requests, takes 4 s longer',
    expects: /latency.*GET \/categories/s,
    seed: { tamper: () => onMatching(/^GET \/api\/v1\/categories/, 1, async () => await sleep(4_000)) },
  },
  {
    name: 'replay-slow',
    kind: 'latency',
    says: 'a repeated order, one in 100 requests, takes 3 s longer',
    expects: /latency.*POST \/orders \(again\)/s,
    seed: { tamper: () => onAnswer(async (answer) => isReplay(answer) && (await sleep(3_000))) },
  },
  {
    name: 'some-never-answered',
    kind: 'latency',
    says: 'one in 30 products read by id is never answered',
    expects: /endpoint-errors/,
    seed: { tamper: () => onMatching(oneProduct, 30, async () => await sleep(600_000, undefined, { ref: false })) },
  },
];

const workers: readonly Defect[] = [
  {
    name: 'one-worker-slow',
    kind: 'worker',
    says: 'one of two workers takes 3 s longer for everything',
    expects: /latency/,
    seed: { tamper: () => isFirstWorker() && onAnswer(async () => await sleep(3_000)) },
  },
  {
    name: 'one-worker-wrong',
    kind: 'worker',
    says: 'one of two workers shows every product by id a cent dearer',
    expects: /price-shown/,
    seed: {
      tamper: () => void (isFirstWorker() && onJson(oneProduct, 1, aCentMore)),
    },
  },
  {
    name: 'worker-freezes',
    kind: 'worker',
    says: 'every 6 s one of two workers stands still for 2 s',
    expects: /latency/,
    seed: { tamper: () => isFirstWorker() && setInterval(standStill, 6_000) },
  },
];

function standStill(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000);
}

const leaks: readonly Defect[] = [
  {
    name: 'connections-kept',
    kind: 'leak',
    says: 'one in 40 transactions keeps its connection for ever',
    expects: /connections-returned|transactions-closed/,
    seed: { tamper: () => keepClients(40) },
  },
  {
    name: 'transaction-left-open',
    kind: 'leak',
    says: 'one connection in 40 is left in a transaction that nobody ends',
    expects: /transactions-closed|connections-returned/,
    seed: { tamper: () => keepClients(40, (client) => client.query('BEGIN')) },
  },
  {
    name: 'memory-kept',
    kind: 'leak',
    says: 'every worker keeps 20 MB more each second',
    expects: /memory/,
    seed: { tamper: keepMemory },
  },
];

const kept: Buffer[] = [];

function keepMemory(): void {
  setInterval(() => kept.push(Buffer.alloc(20 * 1024 * 1024, 1)), 1_000);
}

const errors: readonly Defect[] = [
  {
    name: 'orders-fail',
    kind: 'errors',
    says: '5 % of the orders are answered 500, 0.4 % of all requests',
    expects: /error.*POST \/orders/s,
    seed: {
      tamper: () =>
        onMatching(placed, 20, (answer) => {
          Object.assign(answer, { status: 500, body: '{"status":500,"code":"internal_error"}' });
          setHeader(answer, 'Content-Type', 'application/problem+json');
        }),
    },
  },
  {
    name: 'connections-reset',
    kind: 'errors',
    says: 'one in 50 requests finds its connection cut instead of an answer',
    expects: /error/,
    seed: { tamper: () => onMatching(/\/products/, 50, (answer) => void answer.request.socket.resetAndDestroy()) },
  },
];

export const wire: readonly Defect[] = [...framing, ...latency, ...workers, ...leaks, ...errors];
