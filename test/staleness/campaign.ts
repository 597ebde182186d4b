import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { pick, randomInt, type Random } from '#loadtest/generate/random.ts';
import type { ApiProcess } from '../support/api-process.ts';

/** Reads beside writes: whether an answer ever shows less than what had been answered to a writer before it was asked for. */

export type CampaignOptions = {
  readonly apis: readonly ApiProcess[];
  readonly workersOf: (api: ApiProcess) => readonly number[];
  readonly headers: Readonly<Record<string, string>>;
  /** Ids of the products that are written and read, each at version 1. */
  readonly products: readonly number[];
  readonly reads: number;
  readonly readers: number;
  readonly writers: number;
  readonly random: Random;
  readonly onProgress: (tally: Tally) => void;
};

export type Tally = {
  /** Answers looked at, and products in them. */
  reads: number;
  products: number;
  stale: number;
  writes: number;
  /** Requests that were not answered, or with an error: kills and freezes cost some. */
  failed: number;
  kills: number;
  freezes: number;
  /** The first stale answers, in words. */
  readonly witnesses: string[];
};

type Row = { readonly id_key: number; readonly version: number };

/** Runs until so many answers have been looked at. */
export async function runCampaign(options: CampaignOptions): Promise<Tally> {
  const { apis, reads, readers, writers, onProgress } = options;
  const tally: Tally = { reads: 0, products: 0, stale: 0, writes: 0, failed: 0, kills: 0, freezes: 0, witnesses: [] };
  const pools = apis.map(({ url }) => new Pool(url, { connections: readers + writers, bodyTimeout: 20_000, headersTimeout: 20_000 }));
  /** By product: the newest version that a writer has been told of. */
  const answered = new Map(options.products.map((id) => [id, 1]));
  const course = { ...options, pools, tally, answered, isOver: () => tally.reads >= reads };
  const ticker = setInterval(() => onProgress(tally), 1_000);
  try {
    await Promise.all([
      ...Array.from({ length: readers }, () => read(course)),
      ...Array.from({ length: writers }, (_, writer) => write(course, writer)),
      disturb(course),
    ]);
  } finally {
    clearInterval(ticker);
    await Promise.all(pools.map((pool) => pool.destroy()));
  }
  return tally;
}

type Course = CampaignOptions & {
  readonly pools: readonly Pool[];
  readonly tally: Tally;
  readonly answered: Map<number, number>;
  readonly isOver: () => boolean;
};

const missing: readonly Row[] = [];

async function ask({ pools, random, headers, tally }: Course, path: string, body?: object): Promise<unknown> {
  try {
    const answer = await pick(random, pools).request({
      path,
      method: body ? 'PUT' : 'GET',
      headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    if (answer.statusCode === 200) return JSON.parse(text) as unknown;
    // Every product is there all the time: who does not find one looks at something else than the database.
    if (answer.statusCode === 404) return missing;
  } catch {
    // A worker that was killed takes its connections with it.
  }
  tally.failed += 1;
  await sleep(10);
  return undefined;
}

/** One reader: single products, and a few pages and searches that many ask for at once. */
async function read(course: Course): Promise<void> {
  const { products, random, answered, tally, isOver } = course;
  while (!isOver()) {
    const dice = random();
    const skip = 20 * randomInt(random, 0, 2);
    const list = dice < 0.8 ? `?skip=${skip}&limit=20` : `/filter?search=thing&sort_by=name&skip=${skip}&limit=20`;
    const atLeast = new Map(answered);
    const path = `/api/v1/products${dice < 0.6 ? `/${pick(random, products)}` : list}`;
    const shown = await ask(course, path);
    if (shown === undefined) continue;
    tally.reads += 1;
    if (shown === missing) note(tally, `GET ${path}: not found`);
    for (const { id_key: id, version } of (Array.isArray(shown) ? shown : [shown]) as Row[]) {
      tally.products += 1;
      const least = atLeast.get(id) ?? 0;
      if (version < least) note(tally, `GET ${path}: product ${id} at version ${version}, after ${least} was answered`);
    }
  }
}

function note(tally: Tally, witness: string): void {
  tally.stale += 1;
  if (tally.witnesses.length < 5) tally.witnesses.push(witness);
}

/** One writer, the only one of its products. */
async function write(course: Course, writer: number): Promise<void> {
  const { products, writers, random, answered, tally, isOver } = course;
  const own = products.filter((_, index) => index % writers === writer);
  while (!isOver()) {
    const id = pick(random, own);
    const row = (await ask(course, `/api/v1/products/${id}`, { stock: randomInt(random, 0, 999) })) as Row | undefined;
    if (row === undefined) continue;
    tally.writes += 1;
    answered.set(id, row.version);
  }
}

/** Every few seconds a worker is killed, or stands still for a moment. */
async function disturb({ apis, workersOf, random, tally, isOver }: Course): Promise<void> {
  while (!isOver()) {
    for (let left = randomInt(random, 20, 60); left > 0 && !isOver(); left -= 1) await sleep(100);
    const workers = workersOf(pick(random, apis));
    if (isOver() || workers.length === 0) continue;
    const pid = pick(random, workers);
    if (random() < 0.5) {
      process.kill(pid, 'SIGKILL');
      tally.kills += 1;
    } else {
      process.kill(pid, 'SIGSTOP');
      await sleep(randomInt(random, 100, 1_500));
      process.kill(pid, 'SIGCONT');
      tally.freezes += 1;
    }
  }
}
