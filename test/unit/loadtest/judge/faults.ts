import type { Measurement, PlayedPhase } from '#loadtest/measurement/measurement.ts';
import type { StoredOrder } from '#loadtest/scenarios/shop/stored-books.ts';
import {
  atRest,
  healthyMeasurement,
  histogramOf,
  many,
  booksWith,
  orders,
  rightBooks,
  quietSecond,
  slice,
  timingBand,
  withClient,
  withPhase,
} from '../build-measurement.ts';

/** A client with a fault of its own, and answers that look slow: whose fault is that? */
const slowly = (phase: Partial<PlayedPhase>): Measurement => withPhase(phase, { slices: [slice(1, many(100, 900))] });

const storedOrders = (rightBooks.stored?.orders ?? []) as readonly [StoredOrder];

/** Of ten orders nine. */
const soldOut = Array.from({ length: 9 }, (_, i) => ({ key: `k-no-${i}`, outcome: 'refused', order: null, totalCents: null }) as const);

/** Runs with one thing wrong each, the verdict they must get, and the check that must name the fault: one list, however long. */
export const faults: readonly { fault: string; measurement: Measurement; verdict: 'FAIL' | 'INVALID'; id: string; says: RegExp }[] = [
  {
    fault: 'slow answers',
    measurement: healthyMeasurement({ slices: [slice(1, [...many(90, 10), ...many(10, 300)])] }),
    verdict: 'FAIL',
    id: 'latency-p95',
    says: /p95 is 300 ms, allowed is < 200 ms/,
  },
  {
    fault: 'a slow tail',
    measurement: healthyMeasurement({ slices: [slice(1, [...many(98, 10), ...many(2, 900)])] }),
    verdict: 'FAIL',
    id: 'latency-p99',
    says: /p99 is 900 ms/,
  },
  {
    fault: 'fast errors',
    measurement: withPhase(
      { failures: [{ endpoint: 'POST /orders', outcome: 'http-error', status: 500, fault: 'internal', count: 10, witnesses: [] }] },
      { slices: [slice(1, many(90, 10), { httpErrors: 10 })] },
    ),
    verdict: 'FAIL',
    id: 'error-rate',
    says: /10\.0 % \(10 of 100\).*500 at POST \/orders: internal/,
  },
  {
    fault: 'errors while warming up',
    measurement: healthyMeasurement({ slices: [slice(0, [], { httpErrors: 20 }), slice(1, many(100, 10))] }),
    verdict: 'FAIL',
    id: 'error-rate',
    says: /16\.7 %/,
  },
  {
    fault: 'a success status with the wrong content',
    measurement: healthyMeasurement({ slices: [slice(1, many(90, 10), { wrongAnswers: 10 })] }),
    verdict: 'FAIL',
    id: 'error-rate',
    says: /10 of 100/,
  },
  {
    fault: 'a server that resets every connection',
    measurement: healthyMeasurement({ slices: [slice(1, [], { connectionErrors: 50 })] }),
    verdict: 'FAIL',
    id: 'error-rate',
    says: /50 of 50/,
  },
  {
    fault: 'a server that hangs',
    measurement: healthyMeasurement({ slices: [slice(1, many(40, 15_000), { ok: 0, timeouts: 40 })] }),
    verdict: 'FAIL',
    id: 'latency-p95',
    says: /p95 is ≥ 15 s/,
  },
  {
    fault: 'acknowledged orders that do not exist',
    measurement: healthyMeasurement(orders({ key: 'k-2', order: 8 }, { key: 'k-3', order: 9 })),
    verdict: 'FAIL',
    id: 'orders-kept',
    says: /2 times, such as: order 8 was acknowledged and does not exist/,
  },
  {
    fault: 'orders nobody asked for',
    measurement: healthyMeasurement({ books: booksWith([...storedOrders, { ...storedOrders[0], id: 8, deliveryMethod: 3 }]) }),
    verdict: 'FAIL',
    id: 'orders-asked-for',
    says: /order 8 of client 1 .* exists and nobody asked for it/,
  },
  {
    fault: 'stock that its ledger does not explain',
    measurement: healthyMeasurement({
      books: booksWith(storedOrders, { products: [{ id: 5, stock: 9, moved: 10, restocked: 0, restocks: 0 }] }),
    }),
    verdict: 'FAIL',
    id: 'stock-ledger',
    says: /product 5 has a stock of 9, its movements make 10/,
  },
  {
    fault: 'oversold products',
    measurement: healthyMeasurement({
      books: booksWith(storedOrders, { products: [{ id: 5, stock: -1, moved: -1, restocked: 0, restocks: 0 }] }),
    }),
    verdict: 'FAIL',
    id: 'no-oversell',
    says: /product 5 has a stock of -1/,
  },
  {
    fault: 'a wrong answer, be it one of three hundred',
    measurement: withPhase({
      failures: [
        {
          endpoint: 'POST /orders',
          outcome: 'wrong-answer',
          status: 201,
          fault: 'order-total',
          count: 1,
          witnesses: [{ says: 'total is 39.81, its lines make 39.80', about: { order: 7 }, requestId: 'r-1' }],
        },
      ],
    }),
    verdict: 'FAIL',
    id: 'order-total',
    says: /^total is 39\.81, its lines make 39\.80$/,
  },
  {
    fault: 'an answer that breaks HTTP',
    measurement: withPhase({
      failures: [
        {
          endpoint: 'GET /x',
          outcome: 'wrong-answer',
          status: 200,
          fault: 'cut short',
          count: 1,
          witnesses: [{ says: 'cut short', about: {} }],
        },
      ],
    }),
    verdict: 'FAIL',
    id: 'answer-complete',
    says: /cut short/,
  },
  {
    fault: 'a connection leak',
    measurement: healthyMeasurement({ rest: { ...atRest, connectionsInUse: 2 } }),
    verdict: 'FAIL',
    id: 'connections-returned',
    says: /2 connections still checked out/,
  },
  {
    fault: 'a transaction left open',
    measurement: healthyMeasurement({ rest: { ...atRest, openTransactions: 1 } }),
    verdict: 'FAIL',
    id: 'transactions-closed',
    says: /in a transaction/,
  },
  {
    fault: 'a key that gave two orders',
    measurement: healthyMeasurement(orders({ order: 8 })),
    verdict: 'FAIL',
    id: 'no-duplicate-orders',
    says: /key k-1 was answered with orders 7 and 8/,
  },
  {
    fault: '429',
    measurement: healthyMeasurement({ slices: [slice(1, many(99, 10), { limited: 1 })] }),
    verdict: 'INVALID',
    id: 'not-rate-limited',
    says: /answered 429/,
  },
  {
    fault: 'a hanging client',
    measurement: slowly({
      processVitals: [{ seconds: [{ second: 1, utilization: 0.2, cpu: 0.2, maxDelayMs: 800 }], loopDelay: histogramOf(800) }],
    }),
    verdict: 'INVALID',
    id: 'client-delay',
    says: /client itself was 800 ms late/,
  },
  {
    fault: 'a client behind its schedule',
    measurement: withPhase({ sendLag: histogramOf(...many(90, 1), ...many(10, 900)) }),
    verdict: 'INVALID',
    id: 'send-lag',
    says: /fell behind its own schedule by 91 ms on average/,
  },
  {
    fault: 'a lost generator process',
    measurement: withPhase({ lost: ['process 2 ended early (SIGKILL)'] }),
    verdict: 'INVALID',
    id: 'generator-complete',
    says: /process 2 ended early/,
  },
  {
    fault: 'a machine slow by itself',
    measurement: { ...withClient({ calibration: { p99Ms: 90, requestsPerSecond: 200 } }), slices: [slice(1, many(100, 280))] },
    verdict: 'INVALID',
    id: 'calibration',
    says: /alone already took p99 90 ms/,
  },
  {
    fault: 'a machine that stood still for a moment',
    measurement: healthyMeasurement({ slices: [slice(1, many(100, 900))], machine: [quietSecond(0, { idleAnswerMs: 850 })] }),
    verdict: 'INVALID',
    id: 'idle-server',
    says: /up to 850 ms for an answer that needs none/,
  },
  {
    fault: 'a machine that others left no CPU of',
    measurement: healthyMeasurement({
      slices: [slice(1, many(100, 500))],
      machine: [quietSecond(1, { cpu: { busy: 0.99, own: 0.1, target: 0.2, others: 0.69 }, idleAnswerMs: 60 })],
    }),
    verdict: 'INVALID',
    id: 'machine-quiet',
    says: /other programs used 69\.0 % of this machine/,
  },
  {
    fault: 'lost count',
    measurement: healthyMeasurement({ slices: [{ ...slice(1, many(100, 10)), sent: 103 }] }),
    verdict: 'INVALID',
    id: 'conservation',
    says: /lost count of 3 requests/,
  },
  {
    fault: 'answers the client did not notice',
    measurement: healthyMeasurement({ rest: { ...atRest, requestsServed: 307 } }),
    verdict: 'INVALID',
    id: 'server-count',
    says: /7 requests that the client did not account for/,
  },
  {
    fault: 'nothing sent',
    measurement: healthyMeasurement({ slices: [] }),
    verdict: 'INVALID',
    id: 'conservation',
    says: /nothing was sent/,
  },
  {
    fault: 'a server that lies about its own times',
    measurement: withPhase({ serverTimings: [timingBand(3, 100, { app: 90_000 }, 100)] }),
    verdict: 'INVALID',
    id: 'server-agreement',
    says: /more time than passed/,
  },
  {
    fault: 'an empty shop',
    measurement: healthyMeasurement(orders(...soldOut)),
    verdict: 'INVALID',
    id: 'stock-sufficient',
    says: /stock was gone/,
  },
];
