import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { adminToken, loadtestKey, operatorKey } from '#test/support/api-process.ts';
import { startMailRecorder } from '#test/support/mail-recorder.ts';
import { hasRedis } from '#test/support/redis.ts';
import { startSlackRecorder } from '#test/support/slack-recorder.ts';
import { labelIn } from '#monitor/words/labels.ts';
import type { Language } from '#monitor/words/language.ts';
import { planFor, startMonitor, type MonitorPlan } from '../run-monitor.ts';
import { judge, type CauseName } from './judge.ts';
import { metricsToken, startStack, type Stack } from './stack.ts';
import { surround, type Surroundings } from './surroundings.ts';

/** A message that wakes somebody, and is not of the monitor itself. */
const isCall = (text: string): boolean => /^\[(?:FIRING|NOTICE|ALERTA|AVISO)\] (?!monitor\.)/.test(text);

/** Watches all of it alike, whatever is injected. */
const configOf = ({ around, stack, language }: Place, isDirect: boolean) => ({
  delivery: { language },
  defaults: {
    interval: '200ms',
    timeout: '2s',
    confirmInterval: '100ms',
    failures: 2,
    successes: 1,
    startGrace: '0s',
    warnAfter: '300ms',
    slow: '60s',
  },
  probes: [
    { name: 'postgresql', kind: 'postgres', longestTransaction: '5s', slowStatement: '4s' },
    { name: 'redis', kind: 'redis' },
    {
      name: 'api',
      kind: 'http',
      url: '/health_check',
      dependsOn: ['postgresql'],
      degradedBy: ['redis'],
      // Longer than it takes to be sure that Redis hangs.
      warnAfter: '6s',
      conditions: ['[STATUS] == 200', '[BODY].status != critical'],
      degradedUnless: ['[BODY].status == healthy'],
    },
    { name: 'shop', kind: 'http', url: '/api/v1/products', dependsOn: ['postgresql', 'api'] },
    { name: 'nginx', kind: 'http', url: `http://127.0.0.1:${around.nginxPort}/` },
    {
      name: 'certificate',
      kind: 'certificate',
      address: `127.0.0.1:${around.sitePort}`,
      serverName: 'shop.example',
      tlsMode: 'self-signed',
    },
    { name: 'name', kind: 'dns', host: 'shop.example', server: around.nameServer },
    ...(around.hasDisk ? [{ name: 'disk', kind: 'disk', path: around.disk }] : []),
    { name: 'log', kind: 'log', path: join(stack.logDir, 'error.log'), errors: 5 },
  ],
  actions: [{ target: 'api', admin: isDirect ? stack.api().adminUrl : around.admin.url }],
  backups: { settle: '1h', interval: '200ms' },
});

export type Injection = {
  readonly inject: (around: Surroundings, stack: Stack) => Promise<unknown> | void;
  /** What the monitor is started with, where the cause lies there. */
  readonly env?: (around: Surroundings) => Readonly<Record<string, string>>;
  readonly config?: object;
  /** What it needs and is not there. */
  readonly missing?: string | undefined;
  /** The API is reached through a way that can be led elsewhere. */
  readonly isBehindWay?: true;
};

/** The daily job looks at the clock once a minute. */
const toldWithinMs = 100_000;
/** Evidence has two seconds, which a machine that is used up does not always give: the message then says what was not seen. */
const patience = { timeout: 150_000, retry: 2 };
const secrets = ['a-password-of-the-tests', metricsToken, adminToken, operatorKey, loadtestKey, 'secret-of-the-webhook'];

/** Declares a test for each cause: it is injected into a whole stack, and the first message that somebody gets must name it. */
export function testBlind(injections: Readonly<Record<string, Injection>>, language: Language): void {
  describe.skipIf(!hasRedis)('whoever is woken reads first what is the cause, by the words of the message alone', () => {
    let stack: Stack;
    beforeAll(async () => {
      stack = await startStack();
    }, 120_000);
    afterAll(async () => {
      await stack.stop();
    }, 60_000);
    test.for(Object.keys(injections) as CauseName[])('%s', patience, async (name, { skip }) => {
      const { inject, missing } = injections[name] as Injection;
      skip(missing !== undefined, missing);
      const around = await surround(stack);
      skip(name === 'disk full' && !around.hasDisk, 'this user may not mount a tmpfs');
      onTestFinished(stack.heal);
      const [slack, mail] = await Promise.all([startSlackRecorder(), startMailRecorder()]);
      onTestFinished(async () => void (await Promise.all([slack.close(), mail.close()])));
      const monitor = await startMonitor(
        planOf({ around, stack, language, slackUrl: slack.url, mailUrl: mail.url }, injections[name] as Injection),
      );
      onTestFinished(() => monitor.kill());
      if (name !== 'backup failed') await monitor.untilStatus((view) => view.targets.every(({ status }) => status === 'up'));
      await inject(around, stack);

      await slack.until(() => slack.texts().some(isCall), toldWithinMs);
      const said = slack.messages.find(({ text }) => isCall(text));
      expect([judge(said?.text ?? '', language), said?.text]).toEqual([name, expect.anything()]);
      await mail.until(() => mail.mails.some(({ subject }) => isCall(subject)));
      const shown = [JSON.stringify(said?.body), ...plainParts(mail.mails.find(({ subject }) => isCall(subject))?.text ?? '')];
      for (const part of shown) {
        for (const label of ['Broken for', 'Since', 'Next', 'Last looks', 'On record']) expect(part).toContain(labelIn(label, language));
        expect(part).toContain(labelIn(name === 'PostgreSQL stopped' ? 'Not seen' : 'Sessions', language));
        expect(secrets.filter((secret) => part.includes(secret))).toEqual([]);
      }
      expect(shown).toHaveLength(3);
    });
  });
}

type Place = {
  readonly around: Surroundings;
  readonly stack: Stack;
  readonly language: Language;
  readonly slackUrl: string;
  readonly mailUrl: string;
};

function planOf(place: Place, { env, config, isBehindWay }: Injection): MonitorPlan {
  const { around, stack, slackUrl, mailUrl } = place;
  const settings = {
    ...Object.fromEntries(Object.entries(stack.settings).map(([key, value]) => [key, String(value)])),
    REDIS_ENABLED: 'true',
    REDIS_PORT: `${stack.redis().port}`,
    API_URL: isBehindWay ? around.api.url : stack.api().url,
    METRICS_TOKEN: metricsToken,
    SLACK_WEBHOOK_URL: slackUrl,
    SMTP_URL: mailUrl,
    DEPLOYMENT_NAME: 'tests',
    BACKUP_ENABLED: 'true',
    BACKUP_DIR: join(around.dir, 'backups'),
    ...env?.(around),
  };
  return planFor(around.dir, settings, { ...configOf(place, !isBehindWay), ...config });
}

/** The text and the HTML of a mail, decoded. */
function plainParts(source: string): string[] {
  return source
    .split(/^--.*$/m)
    .filter((part) => /content-type: text\//i.test(part))
    .map((part) =>
      Buffer.from(
        part.replaceAll(/=\r?\n/g, '').replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
        'latin1',
      ).toString('utf8'),
    );
}
