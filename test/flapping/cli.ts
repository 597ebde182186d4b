import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateUp } from '#api/db/migrate.ts';
import { startEmbeddedPostgres } from '#deploy/local/postgres/embedded-postgres.ts';
import { createProgress, print, runCommandLine, type Arguments } from '#lib/command-line.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { wholeNumber } from '#loadtest/options.ts';
import { startApi } from '../support/api-process.ts';
import { freePort } from '../support/free-port.ts';
import { markdownTable } from '../support/markdown-table.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { playFlapping, type Fault, type Played } from './campaign.ts';
import { total, type Judgement } from './judge.ts';

const window = { limit: 20, periodMs: 3_000 };
const workers = 4;
const flapMs = 2_000;
/** Of what an exact limiter would have let in. */
const mostUnder = 0.01;

/** What is played, each on an API of its own. */
const courses: readonly { readonly name: string; readonly fault: Fault; readonly isInRedis: boolean }[] = [
  { name: 'no Redis', fault: 'none', isInRedis: false },
  { name: 'Redis answers', fault: 'none', isInRedis: true },
  { name: 'frozen', fault: 'frozen', isInRedis: true },
  { name: 'killed', fault: 'killed', isInRedis: true },
  { name: 'frozen and killed in turn', fault: 'both', isInRedis: true },
];

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run flapping --',
    summary: 'Asks four workers for more than the limit, and for less, while their Redis comes and goes every two seconds.',
    defaultVerb: 'run',
    verbs: {
      run: {
        synopsis: '[--seconds 300] [--only NAME]',
        summary: 'Prints a table; exits 1 when a window let in more than the limit, an exact limiter had let in more, or a request failed.',
        options: { seconds: { type: 'string' }, only: { type: 'string' } },
        positionals: [0, 0],
        run,
      },
    },
  },
  process.argv.slice(2),
);

async function run({ flags }: Arguments): Promise<ExitCode> {
  const seconds = wholeNumber('--seconds', String(flags['seconds'] ?? 300), 10, 86_400);
  const chosen = courses.filter(({ name }) => flags['only'] === undefined || name === flags['only']);
  const rows: string[][] = [];
  let isHeld = chosen.length > 0;
  for (const course of chosen) {
    const played = await withApi(course.isInRedis, (url, redis) => play(course, { url, redis, forMs: seconds * 1_000 }));
    const [greedy, modest] = [total(played.greedy), total(played.modest)];
    isHeld &&= [greedy, modest].every(({ over, under, failed }) => over === 0 && under <= mostUnder && failed === 0);
    rows.push([course.name, `${played.faults}`, ...row(greedy), ...row(modest).slice(0, 2), `${Math.round(modest.slowestMs)} ms`]);
  }
  print(markdownTable(head, rows).trimEnd());
  return isHeld ? EXIT.done : EXIT.failed;
}

const head = ['Redis', 'faults', 'greedy asked', 'let in', 'fullest window', 'exact limiter', 'less', 'modest asked', 'let in', 'slowest'];

const row = ({ asked, admitted, fullest, ideal, under }: Judgement): string[] => [
  `${asked}`,
  `${admitted}`,
  `${fullest} of ${window.limit}`,
  `${ideal}`,
  `${(under * 100).toFixed(2)} %`,
];

type Stage = { readonly url: string; readonly redis: TestRedis | undefined; readonly forMs: number };

async function play({ name, fault }: (typeof courses)[number], stage: Stage): Promise<Played> {
  const progress = createProgress();
  const onProgress = (leftMs: number): void => progress.update(`${name}: ${Math.round(leftMs / 1_000)} s left`);
  try {
    return await playFlapping({ ...stage, fault, flapMs, window, onProgress });
  } finally {
    progress.done();
  }
}

/** A database, a Redis and an API of four workers, for as long as `work` takes. */
async function withApi<T>(isInRedis: boolean, work: (url: string, redis: TestRedis | undefined) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'atalaya-flapping-'));
  const login = { port: await freePort(), user: 'atalaya', password: 'flapping' };
  const server = await startEmbeddedPostgres({ dataDir: join(dataDir, 'postgres'), ...login, settings: { synchronous_commit: 'off' } });
  const settings: PostgresSettings = {
    POSTGRES_HOST: '127.0.0.1',
    POSTGRES_PORT: login.port,
    POSTGRES_DB: 'postgres',
    POSTGRES_USER: login.user,
    POSTGRES_PASSWORD: login.password,
  };
  const redis = isInRedis ? await startRedis() : undefined;
  try {
    await migrateUp(settings);
    const limits = { RATE_LIMIT_CALLS: `${window.limit}`, RATE_LIMIT_PERIOD: `${window.periodMs / 1_000}`, TRUSTED_PROXIES: '127.0.0.1' };
    const inRedis = redis && { REDIS_ENABLED: 'true', REDIS_HOST: '127.0.0.1', REDIS_PORT: `${redis.port}` };
    const api = await startApi(settings, { ...limits, ...inRedis, API_WORKERS: `${workers}` });
    try {
      await api.ready();
      return await work(api.url, redis);
    } finally {
      await api.stop();
    }
  } finally {
    await redis?.stop();
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}
