import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { exportPrometheus } from '#monitor/export/prometheus.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';

const secrets = {
  SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T0/B0/secretslack',
  SMTP_URL: 'smtp://monitor:secretmail@mail.shop.example:587',
  ALERT_EMAIL_FROM: 'm@shop.example',
  ALERT_EMAIL_TO: 'a@shop.example,b@shop.example',
  WEBHOOK_URL: 'https://events.pagerduty.com/v2/enqueue',
  WEBHOOK_FORM: 'pagerduty',
  WEBHOOK_KEY: 'secretrouting-key-of-pagerduty',
  METRICS_TOKEN: 'a secrettoken of some length',
  MONITOR_PASSWORD: 'a-password-of-operators',
};

async function exported(
  config: string,
): Promise<{ files: Record<string, string>; missing: readonly string[]; read: (name: string) => never }> {
  const MONITOR_CONFIG = join(await temporaryFolder(), 'monitor.yaml');
  await writeFile(MONITOR_CONFIG, config);
  const { files, missing } = await exportPrometheus({ ...secrets, MONITOR_CONFIG, MONITOR_URL: 'https://status.shop.example' });
  return { files, missing, read: (name) => parse(files[name] ?? '') as never };
}

const config = `
defaults: { unknownAfter: 7m, remindAfter: 2h }
probes:
  - { name: postgresql, kind: postgres }
  - { name: api-a, kind: http, url: 'http://api-a:8000/health_check', dependsOn: [postgresql], warnAfter: never }
  - { name: api-b, kind: http, url: 'http://api-b:8000/health_check', dependsOn: [postgresql] }
  - { name: site, kind: http, url: 'https://shop.example/', dependsOn: [[api-a, api-b]] }
objectives:
  - { name: availability, objective: 99.9%, metrics: ['http://api-a:9000/metrics', 'http://api-b:9000/metrics'], dependsOn: [postgresql] }
maintenance:
  - { name: nightly, targets: [postgresql], start: '23:00', for: 90m, days: [sat], timeZone: Europe/Madrid }
  - { name: move, start: '2026-12-31T20:00', for: 6h }
`;

describe('what is exported', () => {
  test('holds no secret', async () => {
    const { files } = await exported(config);
    expect(Object.keys(files)).toEqual(['prometheus.yml', 'atalaya-rules.yml', 'alertmanager.yml']);
    expect(Object.values(files).join('\n')).not.toContain('secretslack');
    expect(Object.values(files).join('\n')).not.toMatch(/secret(?:mail|routing|token)/);
  });

  test('is read from the monitor and from every API of an objective', async () => {
    const { read } = await exported(config);
    const { scrape_configs: jobs } = read('prometheus.yml') as { scrape_configs: object[] };
    expect(jobs).toEqual([
      {
        job_name: 'atalaya-monitor',
        scheme: 'https',
        authorization: { credentials_file: 'secrets/monitor_password' },
        static_configs: [{ targets: ['status.shop.example'] }],
      },
      {
        job_name: 'atalaya-api',
        metrics_path: '/metrics',
        authorization: { credentials_file: 'secrets/metrics_token' },
        static_configs: [{ targets: ['api-a:9000', 'api-b:9000'] }],
      },
    ]);
  });

  test('has rules for each target, as patient as the file says, and for each window of an objective', async () => {
    const { read } = await exported(config);
    const { groups } = read('atalaya-rules.yml') as {
      groups: { name: string; rules: { alert?: string; expr: string; for?: string; labels: Record<string, string> }[] }[];
    };
    const targets = groups.find(({ name }) => name === 'atalaya-targets')?.rules ?? [];
    const of = (target: string): (string | undefined)[] =>
      targets.filter(({ labels }) => labels['target'] === target).map(({ alert }) => alert);
    expect(of('postgresql')).toEqual(['AtalayaTargetDown', 'AtalayaTargetUnknown', 'AtalayaTargetDegraded']);
    expect(of('api-a')).toEqual(['AtalayaTargetDown', 'AtalayaTargetUnknown']);
    expect(targets.find(({ alert }) => alert === 'AtalayaTargetUnknown')?.for).toBe('7m');
    const burns = groups.find(({ name }) => name.endsWith('availability'))?.rules.filter(({ alert }) => alert !== undefined) ?? [];
    expect(burns.map(({ labels: { severity, window } }) => [severity, window])).toEqual([
      ['page', '15m'],
      ['page', '1h'],
      ['page', '6h'],
      ['ticket', '1d'],
      ['ticket', '3d'],
    ]);
    expect(burns[1]?.expr).toBe(
      'atalaya:slo_bad:ratio1h{slo="availability"} > 0.0144 and atalaya:slo_bad:ratio5m{slo="availability"} > 0.0144 and atalaya:slo_bad:increase1h{slo="availability"} >= 2',
    );
  });

  test('tells by the same ways, is quiet in planned work by its own clocks, and says what Alertmanager cannot', async () => {
    const { read, missing } = await exported(config);
    const {
      route,
      receivers,
      inhibit_rules: inhibits,
      time_intervals: times,
    } = read('alertmanager.yml') as Record<string, object[]> & { route: { routes: object[] } };
    expect(route).toMatchObject({ repeat_interval: '2h' });
    expect(receivers).toMatchObject([
      {
        slack_configs: [{ api_url_file: 'secrets/slack_webhook_url' }],
        email_configs: [
          { to: 'a@shop.example', smarthost: 'mail.shop.example:587', auth_password_file: 'secrets/smtp_password' },
          { to: 'b@shop.example' },
        ],
        pagerduty_configs: [{ routing_key_file: 'secrets/webhook_key' }],
      },
    ]);
    expect(inhibits).toHaveLength(3);
    expect(route.routes).toContainEqual({ matchers: ['target="postgresql"'], mute_time_intervals: ['nightly', 'move'] });
    expect(route.routes).toContainEqual({ matchers: ['target="site"'], mute_time_intervals: ['move'] });
    const madrid = { location: 'Europe/Madrid' };
    expect(times).toEqual([
      {
        name: 'nightly',
        time_intervals: [
          { weekdays: ['saturday'], times: [{ start_time: '23:00', end_time: '24:00' }], ...madrid },
          { weekdays: ['sunday'], times: [{ start_time: '00:00', end_time: '00:30' }], ...madrid },
        ],
      },
      {
        name: 'move',
        time_intervals: [
          { days_of_month: ['31'], months: ['12'], years: ['2026'], times: [{ start_time: '20:00', end_time: '24:00' }], location: 'UTC' },
          { days_of_month: ['1'], months: ['1'], years: ['2027'], times: [{ start_time: '00:00', end_time: '02:00' }], location: 'UTC' },
        ],
      },
    ]);
    expect(missing).toEqual(['site depends on any of api-a, api-b: Alertmanager cannot say that only all of them explain it']);
  });
});
