import { createProgress, print, runCommandLine, type Arguments } from '#lib/command-line.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { wholeNumber } from '#loadtest/options.ts';
import { startApi } from '../support/api-process.ts';
import { startOwnPostgres } from '../support/own-postgres.ts';
import { markdownTable } from '../support/markdown-table.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { playFlapping, type Fault, type Played } from './campaign.ts';
import { total, type Judgement } from './judge.ts';

const window = { limit: 20, periodMs: 3_000 };
const workers = 4;
const flapMs = 2_000;
/** Of what an exact limiter would have let in. */
const mostUnder = 0.01;

type Course = { readonly name: string; readonly fault: Fault; readonly isInRedis: boolean };

/** What is played, each on an API of its own. */
const courses: readonly Course[] = [
  { name: 'no Redis', fault: 'none', isInRedis: false },
  { name: 'Redis answers', fault: 'none', isInRedis: true },
  { name: 'frozen', fault: 'frozen', isInRedis: true },
  { name: 'killed', fault: 'killed', isInRedis: true },
  { name: 'frozen and killed in turn', fault: 'both', isInRedis: true },
];

const head = ['Redis', 'faults', 'greedy asked', 'let in', 'fullest window', 'exact limiter', 'less', 'modest asked', 'let in', 'slowest'];

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
  const stages: Stage[] = [];
  try {
    // One after the other: twenty workers that begin at once take each other's time.
    for (const course of chosen) stages.push(await openStage(course));
    const played = await playAll(stages, seconds * 1_000);
    const isHeld = played.every(({ greedy, modest }) => [...greedy, ...modest].every(isFair));
    print(
      markdownTable(
        head,
        chosen.map(({ name }, index) => rowOf(name, played[index] as Played)),
      ).trimEnd(),
    );
    return isHeld && chosen.length > 0 ? EXIT.done : EXIT.failed;
  } finally {
    await Promise.all(stages.map((stage) => stage.close()));
  }
}

function isFair({ over, failed, under }: Judgement): boolean {
  return over === 0 && failed === 0 && under <= mostUnder;
}

function rowOf(name: string, { greedy, modest, faults }: Played): string[] {
  const [all, calm] = [total(greedy), total(modest)];
  const less = `${(all.under * 100).toFixed(2)} %`;
  const slowest = `${Math.round(Math.max(all.slowestMs, calm.slowestMs))} ms`;
  const most = [`${all.asked}`, `${all.admitted}`, `${all.fullest} of ${window.limit}`, `${all.ideal}`, less];
  return [name, `${faults}`, ...most, `${calm.asked}`, `${calm.admitted}`, slowest];
}

type Stage = { readonly course: Course; readonly url: string; readonly redis: TestRedis | undefined; readonly close: () => Promise<void> };

/** All side by side: what they do is mostly to wait. */
async function playAll(stages: readonly Stage[], forMs: number): Promise<Played[]> {
  const progress = createProgress();
  const onProgress = (leftMs: number): void => progress.update(`${Math.round(leftMs / 1_000)} s left`);
  try {
    return await Promise.all(
      stages.map(({ course, url, redis }, index) =>
        playFlapping({ url, redis, fault: course.fault, flapMs, forMs, window, ...(index === stages.length - 1 && { onProgress }) }),
      ),
    );
  } finally {
    progress.done();
  }
}

/** A database, a Redis and an API of four workers. */
async function openStage(course: Course): Promise<Stage> {
  const { settings, stop } = await startOwnPostgres('flapping');
  const redis = course.isInRedis ? await startRedis() : undefined;
  const limits = { RATE_LIMIT_CALLS: `${window.limit}`, RATE_LIMIT_PERIOD: `${window.periodMs / 1_000}`, TRUSTED_PROXIES: '127.0.0.1' };
  const inRedis = redis && { REDIS_ENABLED: 'true', REDIS_HOST: '127.0.0.1', REDIS_PORT: `${redis.port}` };
  const api = await startApi(settings, { ...limits, ...inRedis, API_WORKERS: `${workers}` });
  await api.ready();
  const close = async (): Promise<void> => {
    await api.stop();
    await redis?.stop();
    await stop();
  };
  return { course, url: api.url, redis, close };
}
