import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { exportPrometheus, writeExported } from '#monitor/export/prometheus.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';

const timeout = 60_000;
const isThere = (tool: string): boolean => {
  try {
    execFileSync(tool, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const missing = ['promtool', 'amtool'].every(isThere)
  ? undefined
  : 'promtool and amtool are not installed: apt install prometheus prometheus-alertmanager';

const config = `
probes:
  - { name: postgresql, kind: postgres }
  - { name: api, kind: http, url: /health_check, dependsOn: [postgresql] }
objectives:
  - { name: availability, objective: 99.9%, metrics: ['http://api:9000/metrics'], dependsOn: [api] }
maintenance:
  - { name: nightly, targets: [postgresql], start: '23:00', for: 90m, days: [sat], timeZone: Europe/Madrid }
`;

/** The exported files in a folder, with files where the secrets would be. */
async function exportedFolder(): Promise<string> {
  const dir = await temporaryFolder();
  const MONITOR_CONFIG = join(dir, 'monitor.yaml');
  writeFileSync(MONITOR_CONFIG, config);
  mkdirSync(join(dir, 'secrets'));
  for (const name of ['slack_webhook_url', 'smtp_password', 'metrics_token']) writeFileSync(join(dir, 'secrets', name), 'x');
  const env = {
    MONITOR_CONFIG,
    METRICS_TOKEN: 'a token of sixteen characters',
    SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T0/B0/x',
    SMTP_URL: 'smtp://monitor:secret@mail.shop.example:587',
    ALERT_EMAIL_FROM: 'm@shop.example',
    ALERT_EMAIL_TO: 'a@shop.example',
  };
  writeExported(await exportPrometheus(env), dir);
  return dir;
}

test('Prometheus and Alertmanager take what is exported', { timeout }, async ({ skip }) => {
  skip(missing !== undefined, missing);
  const cwd = await exportedFolder();
  expect(execFileSync('promtool', ['check', 'config', 'prometheus.yml'], { cwd, encoding: 'utf8' })).toContain('rules found');
  expect(execFileSync('amtool', ['check-config', 'alertmanager.yml'], { cwd, encoding: 'utf8' })).toContain('SUCCESS');
});

/** What one rule over minutes of counters gives, as `promtool test rules` is asked. */
const series = (status: string, values: string): object => ({
  series: `atalaya_http_request_duration_seconds_count{worker="1",method="GET",route="/api/v1/products",status="${status}"}`,
  values,
});
const burning = [
  ['page', '15m', '14.4'],
  ['page', '1h', '14.4'],
  ['page', '6h', '6'],
  ['ticket', '1d', '3'],
  ['ticket', '3d', '1'],
] as const;
const alertsAt = (evalTime: string, burns: readonly (readonly [severity: string, window: string, times: string])[]): object => ({
  eval_time: evalTime,
  alertname: 'AtalayaErrorBudgetBurns',
  exp_alerts: burns.map(([severity, window, times]) => ({
    exp_labels: { severity, target: 'availability', slo: 'availability', window },
    exp_annotations: { summary: `The error budget of availability burns ${times} times as fast as 30 d allow.` },
  })),
});

test('its rules page while most answers fail, and not for one bad answer', { timeout }, async ({ skip }) => {
  skip(missing !== undefined, missing);
  const cwd = await exportedFolder();
  const tests = {
    rule_files: ['atalaya-rules.yml'],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: [series('200', '0+1x60 60+0x30'), series('500', '0+0x60 0+1x30')],
        alert_rule_test: [alertsAt('59m', []), alertsAt('75m', burning)],
      },
      {
        interval: '1m',
        input_series: [series('200', '0+0x30 0+1x60'), series('500', '0x20 1x70')],
        alert_rule_test: [alertsAt('22m', []), alertsAt('40m', [])],
      },
    ],
  };
  writeFileSync(join(cwd, 'tests.yml'), stringify(tests, { aliasDuplicateObjects: false }));
  expect(execFileSync('promtool', ['test', 'rules', 'tests.yml'], { cwd, encoding: 'utf8' })).toContain('SUCCESS');
});
