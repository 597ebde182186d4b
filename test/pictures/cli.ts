import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { print, runCommandLine } from '#lib/command-line.ts';
import { ConfigError, UnreachableError } from '#lib/errors.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { builtInConfig } from '#monitor/config/config-schema.ts';
import { launchBrowser, missingBrowser } from '#test/support/browser.ts';
import { cleanEnvironment } from '#test/support/clean-environment.ts';
import { startMailRecorder } from '#test/support/mail-recorder.ts';
import { asOperator, operatorPassword } from '#test/support/operator.ts';
import { processesWith } from '#test/support/processes.ts';
import { freePorts, startStack } from '#test/support/running-stack.ts';
import { startSlackRecorder } from '#test/support/slack-recorder.ts';
import { writePast } from './past.ts';

const root = resolve(import.meta.dirname, '../..');
const images = join(root, 'docs/images');
const run = promisify(execFile);
const tell = (text: string): void => void process.stderr.write(`${text}\n`);

/** Long enough for the page to show what came of something; the monitor looks every few seconds. */
const settleMs = 20_000;

type Shot = {
  readonly url: string;
  readonly file: string;
  readonly width: number;
  readonly height: number | undefined;
  readonly headers?: Record<string, string>;
  /** What is drawn late, and waited for. */
  readonly awaits?: string;
};

/** @param height as much as is shown of the page; undefined: all of it */
async function photograph({ url, file, width, height, headers = {}, awaits }: Shot): Promise<void> {
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage({ viewport: { width, height: height ?? 900 }, extraHTTPHeaders: headers });
    await page.goto(url);
    if (awaits !== undefined) await page.locator(awaits).first().waitFor();
    await page.screenshot({ path: join(images, file), fullPage: height === undefined });
  } finally {
    await browser.close();
  }
}

/** The status page of a stack with a past that is made up, and whose API stood still for a while, of which Slack and mail were told. */
async function photographStatusPage(dir: string): Promise<void> {
  const [slack, mail, ports] = await Promise.all([startSlackRecorder(), startMailRecorder(), freePorts()]);
  const dataDir = join(dir, 'local');
  const told = {
    MONITOR_PASSWORD: operatorPassword,
    MONITOR_CONFIG: await writeConfig(dir),
    SLACK_WEBHOOK_URL: slack.url,
    SMTP_URL: mail.url,
    ALERT_EMAIL_FROM: 'atalaya@example.com',
    ALERT_EMAIL_TO: 'ana@example.com',
  };
  writePast(join(dataDir, 'monitor'), Date.now());
  const stack = startStack({ dataDir, ports, env: told });
  try {
    await stack.serving();
    tell('backing up');
    for (const args of [['take'], ['verify', 'latest']]) await runHere(['backups/cli.ts', ...args], dataDir);
    await sleep(2 * settleMs);
    tell('freezing the API until it is told of');
    const frozen = processesWith(dataDir).filter(({ commandLine }) => /api\/(main|worker)\.ts/.test(commandLine));
    if (frozen.length === 0) throw new UnreachableError('no process of the API was found to freeze');
    for (const { pid } of frozen) process.kill(pid, 'SIGSTOP');
    await slack
      .until(() => slack.texts('[FIRING]').length > 0, 120_000)
      .finally(() => frozen.forEach(({ pid }) => process.kill(pid, 'SIGCONT')));
    await slack.until(() => slack.texts('[RESOLVED]').length > 0, 120_000);
    await sleep(3 * settleMs);
    const url = `http://127.0.0.1:${ports.MONITOR_PORT}`;
    const { incidents } = (await (await fetch(`${url}/api/incidents?kind=down`)).json()) as { incidents: readonly { id: string }[] };
    const operator = { width: 1200, height: undefined, headers: asOperator };
    await photograph({ url, file: 'status-page.png', width: 1200, height: undefined });
    await photograph({ url: `${url}/operator`, file: 'operator-page.png', ...operator });
    await photograph({ url: `${url}/operator/incidents/${incidents[0]?.id}`, file: 'incident-page.png', ...operator });
    const awaits = 'figure canvas';
    await photograph({ url: `${url}/targets/api`, file: 'status-page-phone.png', width: 390, height: 844, awaits });
    await photograph({ url: `${url}/operator/targets/api`, file: 'target-page.png', awaits, ...operator });
  } finally {
    stack.child.kill('SIGTERM');
    await stack.exited;
    await Promise.all([slack.close(), mail.close()]);
  }
}

/** What `npm start` watches, and that everybody may see how fast the API is. */
async function writeConfig(dir: string): Promise<string> {
  const { probes, ...rest } = builtInConfig(false, join(dir, 'local/logs')) as { probes: readonly object[] };
  const file = join(dir, 'monitor.yaml');
  const shown = probes.map((probe) => ('url' in probe ? { ...probe, publicLatency: true } : probe));
  // Every JSON is YAML.
  await writeFile(file, JSON.stringify({ ...rest, probes: shown }));
  return file;
}

async function photographReport(dir: string): Promise<void> {
  tell('playing a load test');
  const out = join(dir, 'report');
  await runHere(['loadtest/cli.ts', 'users', '--out', out], dir);
  await photograph({ url: pathToFileURL(join(out, 'report.html')).href, file: 'loadtest-report.png', width: 1100, height: 1070 });
}

const runHere = (args: readonly string[], dataDir: string): Promise<unknown> =>
  run(process.execPath, args, { cwd: root, env: { ...cleanEnvironment(), LOCAL_DATA_DIR: dataDir }, timeout: 180_000 });

async function takePictures(photographers: readonly ((dir: string) => Promise<void>)[]): Promise<ExitCode> {
  if (missingBrowser !== undefined) throw new ConfigError([missingBrowser]);
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-pictures-'));
  try {
    for (const take of photographers) await take(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  print(`The pictures of the README are in ${images}`);
  return EXIT.done;
}

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run pictures',
    summary: 'Takes the pictures of the README anew, of a real stack and a real load test; about five minutes.',
    verbs: {
      status: {
        synopsis: '',
        summary: 'Takes those of the status page alone.',
        positionals: [0, 0],
        run: () => takePictures([photographStatusPage]),
      },
      take: {
        synopsis: '',
        summary: 'Takes them all.',
        positionals: [0, 0],
        run: () => takePictures([photographStatusPage, photographReport]),
      },
    },
    defaultVerb: 'take',
  },
  process.argv.slice(2),
);
