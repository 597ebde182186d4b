import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { basename, join } from 'node:path';
import type { Environment } from '#lib/env.ts';
import { cpuSeconds, processTree, readProcesses } from '#lib/proc.ts';
import type { ShopFacts } from '#loadtest/scenarios/shop/crowd.ts';
import type { ShopClient } from '#loadtest/scenarios/shop/clients.ts';
import { shop } from '#loadtest/scenarios/shop/shop.ts';
import { createSetUpClient } from '#loadtest/targets/set-up.ts';
import { openOwnTarget } from '#loadtest/targets/open-target.ts';
import type { Target } from '#loadtest/targets/target.ts';
import type { Answered, ClientJob, ClientReport } from './overload-client.ts';
import { apiProcess, fillStock } from './run-bench.ts';
import { FloorError } from './start-floor.ts';

/** More asked of one worker than it can do: what it still does, how long that takes, and what refusing the rest costs. */

export type OverloadOptions = {
  readonly seconds: number;
  /** Further source folders whose API is measured in the same run, such as a copy of an earlier version. */
  readonly beside: readonly string[];
  readonly env: Environment;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
};

export type Row = {
  readonly side: string;
  readonly load: string;
  readonly goodPerSecond: number;
  /** As a share of what the same requests reached without overload; undefined for that itself. */
  readonly ofPeak: number | undefined;
  readonly good: Answered | undefined;
  readonly refused: Answered | undefined;
  /** Answered otherwise, not sent for want of a connection, cut off. */
  readonly lost: number;
  /** CPU time of the API for one refusal, when what it did besides is counted as at the peak; undefined where few were refused. */
  readonly refusalUs: number | undefined;
  /** Slowest of the answers to /livez meanwhile. */
  readonly livezMs: number;
};

type Kind = { readonly name: string; readonly requests: readonly string[]; readonly peakConnections: number };
type Side = { readonly name: string; readonly port: number; readonly pid: number | undefined; readonly kinds: readonly Kind[] };

const clientFile = join(import.meta.dirname, 'overload-client.ts');
/** By then a queue stands, and the crowd that came first is done with. */
const warmUpMs = 6_000;
const leastRefused = 500;
const settings = { API_WORKERS: '1', DB_POOL_SIZE: '10', DB_MAX_OVERFLOW: '0', RATE_LIMIT_LOADTEST_CALLS: '100000000' };

/** Plays all loads against each side, one after the other. */
export async function runOverload(options: OverloadOptions): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const root of [...options.beside, undefined]) {
    const name = root === undefined ? 'now' : basename(root);
    options.onProgress(`${name}: starting a stack`);
    const target = await openOwnTarget({ ...settings, ...options.env }, options.signal, root);
    try {
      rows.push(...(await playSide(await prepare(name, target, options.signal), options)));
    } finally {
      await target.stop();
    }
  }
  return rows;
}

async function playSide(side: Side, { seconds, onProgress, signal }: OverloadOptions): Promise<Row[]> {
  const rows: Row[] = [];
  const play = async (load: string, job: Omit<ClientJob, 'port' | 'warmUpMs' | 'durationMs'>, peak?: Measured): Promise<Measured> => {
    signal.throwIfAborted();
    onProgress(`${side.name}: ${load}`);
    const measured = await measure(side, { ...job, port: side.port, warmUpMs, durationMs: seconds * 1_000 });
    rows.push(rowOf(load, side.name, measured, peak));
    return measured;
  };
  for (const { name, requests, peakConnections } of side.kinds) {
    const peak = await play(`${name}, ${peakConnections} connections`, { requests, connections: peakConnections });
    for (const connections of [1_000, 2_000]) await play(`${name}, ${connections} that retry at once`, { requests, connections }, peak);
    const perSecond = Math.round(4 * goodPerSecond(peak));
    await play(`${name}, 4 × the peak in an open loop`, { requests, connections: 2_000, perSecond }, peak);
  }
  return rows;
}

export type Measured = { readonly report: ClientReport; readonly seconds: number; readonly cpuMs: number; readonly livezMs: number };

async function measure(side: Side, job: ClientJob): Promise<Measured> {
  const over = new AbortController();
  const looking = lookAtLivez(side.port, over.signal);
  const client = fork(clientFile, { execArgv: [] });
  client.send(job);
  const exited = once(client, 'exit');
  await new Promise((resolve) => setTimeout(resolve, job.warmUpMs));
  const before = await cpuOf(side.pid);
  const [report] = (await Promise.race([once(client, 'message'), exited.then(() => [undefined])])) as [ClientReport | undefined];
  if (!report) throw new FloorError('the client of the bench ended without a report');
  const cpuMs = 1_000 * ((await cpuOf(side.pid)) - before);
  await exited;
  over.abort();
  return { report, seconds: job.durationMs / 1_000, cpuMs, livezMs: await looking };
}

async function lookAtLivez(port: number, signal: AbortSignal): Promise<number> {
  let slowest = 0;
  while (!signal.aborted) {
    const askedAt = performance.now();
    await fetch(`http://127.0.0.1:${port}/livez`).then(async (answer) => answer.text());
    slowest = Math.max(slowest, performance.now() - askedAt);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return slowest;
}

async function cpuOf(pid: number | undefined): Promise<number> {
  return pid === undefined ? Number.NaN : cpuSeconds(processTree(await readProcesses(), pid));
}

const isGood = (status: string): boolean => status.startsWith('2');
const goodOf = ({ statuses }: ClientReport): [string, Answered] | undefined => Object.entries(statuses).find(([status]) => isGood(status));
const goodPerSecond = ({ report, seconds }: Measured): number => (goodOf(report)?.[1].count ?? 0) / seconds;

/** @param peak of the same requests without overload; undefined for that itself. Pure. */
export function rowOf(load: string, side: string, measured: Measured, peak?: Measured): Row {
  const { report, cpuMs, livezMs } = measured;
  const { '503': refused, ...answered } = report.statuses;
  const good = goodOf(report)?.[1];
  const others = Object.entries(answered).reduce((sum, [status, { count }]) => sum + (isGood(status) ? 0 : count), 0);
  const cpuOfGood = peak ? (peak.cpuMs / (goodOf(peak.report)?.[1].count ?? 1)) * (good?.count ?? 0) : 0;
  return {
    side,
    load,
    goodPerSecond: goodPerSecond(measured),
    ofPeak: peak && goodPerSecond(measured) / goodPerSecond(peak),
    good,
    refused,
    lost: others + report.unsent + report.broken,
    refusalUs: refused && refused.count >= leastRefused ? (1_000 * (cpuMs - cpuOfGood)) / refused.count : undefined,
    livezMs,
  };
}

/** Requests as bytes: reads of one product, and orders of three lines, by a crowd of customers. */
async function prepare(name: string, target: Target, signal: AbortSignal): Promise<Side> {
  const http = createSetUpClient(target.origin, signal);
  const runId = `overload-${randomBytes(5).toString('hex')}`;
  const scenario = shop({ browse: 0, buy: 0, lookBack: 0 });
  const { users, facts } = await scenario.prepare(target, { runId, users: 100, mix: [], http }).finally(http.close);
  if (target.postgres) await fillStock(target.postgres);
  const { goods, orderable } = (facts as ShopFacts).catalogue;
  const reads = (users as readonly ShopClient[]).map(
    ({ accessToken }, at) =>
      `GET /api/v1/products/${goods.products[at % goods.products.length]?.id} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${accessToken}\r\n\r\n`,
  );
  const orders = (users as readonly ShopClient[]).map(({ clientId, accessToken }, at) => {
    const lines = [0, 1, 2].map((step) => ({ product_id: orderable[(at * 7 + step * 13) % orderable.length], quantity: 1 }));
    const body = JSON.stringify({ client_id: clientId, delivery_method: 1, lines });
    const head = `POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${accessToken}\r\nContent-Type: application/json`;
    return `${head}\r\nIdempotency-Key: ${runId}-{n}-${at}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  });
  const kinds = [
    { name: 'GET one product', requests: reads, peakConnections: 64 },
    { name: 'POST order of 3 lines', requests: orders, peakConnections: 32 },
  ];
  return { name, port: Number(new URL(target.origin).port), pid: await apiProcess(target.pid), kinds };
}
