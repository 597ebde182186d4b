import { writeDuration } from '#lib/show.ts';
import type { MonitorSettings } from '../config/config.ts';
import type { Maintenance } from '../quiet/maintenance.ts';

type Yaml = string | number | boolean | readonly Yaml[] | { readonly [key: string]: Yaml };

/** For what is told once: Alertmanager always reminds. */
const longestRepeatMs = 30 * 86_400_000;

/** Secrets stay in files of these names beside the configuration. */
const secretFile = (name: string): string => `secrets/${name}`;

/**
 * Routes, receivers, inhibition and mute times for an Alertmanager, as far as it can express what the file says; `missing` says what
 * it cannot. Pure.
 */
export function alertmanagerConfig(settings: MonitorSettings): { readonly config: Yaml; readonly missing: readonly string[] } {
  const { probes, objectives, maintenance, patience } = settings;
  const nodes = [...probes, ...objectives];
  const anyOf = nodes.flatMap(({ name, dependsOn }) => dependsOn.filter((group) => group.length > 1).map((group) => ({ name, group })));
  return {
    config: {
      route: {
        receiver: 'people',
        group_by: ['target'],
        group_wait: '5s',
        group_interval: '1m',
        repeat_interval: writeDuration(Math.min(patience.remindAfterMs, longestRepeatMs)),
        routes: nodes.flatMap(({ name }) => muteRoute(name, maintenance)),
      },
      receivers: [{ name: 'people', ...receivers(settings) }],
      inhibit_rules: nodes.flatMap(({ name, dependsOn }) =>
        dependsOn
          .filter((group) => group.length === 1)
          .map(([parent = '']) => ({
            source_matchers: [`target="${parent}"`, 'alertname="AtalayaTargetDown"'],
            target_matchers: [`target="${name}"`],
          })),
      ),
      time_intervals: maintenance.map((planned) => ({ name: planned.name, time_intervals: intervalsOf(planned) })),
    },
    missing: anyOf.map(
      ({ name, group }) => `${name} depends on any of ${group.join(', ')}: Alertmanager cannot say that only all of them explain it`,
    ),
  };
}

function muteRoute(target: string, maintenance: readonly Maintenance[]): Yaml[] {
  const own = maintenance.filter(({ targets }) => targets?.includes(target) !== false);
  return own.length === 0 ? [] : [{ matchers: [`target="${target}"`], mute_time_intervals: own.map(({ name }) => name) }];
}

function receivers({ env }: MonitorSettings): { readonly [key: string]: Yaml } {
  const smtp = URL.parse(env.SMTP_URL ?? '');
  const mail = smtp && {
    from: env.ALERT_EMAIL_FROM ?? '',
    smarthost: `${smtp.hostname}:${smtp.port || (smtp.protocol === 'smtps:' ? '465' : '587')}`,
    ...(smtp.username === '' ? {} : { auth_username: decodeURIComponent(smtp.username), auth_password_file: secretFile('smtp_password') }),
    send_resolved: true,
  };
  const webhook = {
    standard: 'webhook_configs',
    pagerduty: 'pagerduty_configs',
    discord: 'discord_configs',
    teams: 'msteamsv2_configs',
  } as const;
  const where = { standard: 'url_file', pagerduty: 'routing_key_file', discord: 'webhook_url_file', teams: 'webhook_url_file' } as const;
  return {
    ...(env.SLACK_WEBHOOK_URL === undefined
      ? {}
      : { slack_configs: [{ api_url_file: secretFile('slack_webhook_url'), send_resolved: true }] }),
    ...(mail ? { email_configs: (env.ALERT_EMAIL_TO ?? []).map((to) => ({ to, ...mail })) } : {}),
    ...(env.WEBHOOK_URL === undefined
      ? {}
      : {
          [webhook[env.WEBHOOK_FORM]]: [
            {
              [where[env.WEBHOOK_FORM]]: secretFile(env.WEBHOOK_FORM === 'pagerduty' ? 'webhook_key' : 'webhook_url'),
              send_resolved: true,
            },
          ],
        }),
  };
}

const dayMinutes = 1_440;
const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;

/** Alertmanager's times end at midnight: what goes on over it is one interval a day. */
function intervalsOf({ timeZone, date, days, minuteOfDay, forMs }: Maintenance): Yaml {
  const intervals: Yaml[] = [];
  let from = minuteOfDay;
  for (let left = Math.ceil(forMs / 60_000), offset = 0; left > 0; offset += 1, from = 0) {
    const to = Math.min(dayMinutes, from + left);
    left -= to - from;
    const when =
      date === undefined
        ? { weekdays: [...new Set(days.map((day) => weekdays[(day + offset) % 7] ?? ''))] }
        : calendarDay(date + offset * 86_400_000);
    intervals.push({ ...when, times: [{ start_time: clockTime(from), end_time: clockTime(to) }], location: timeZone });
  }
  return intervals;
}

function calendarDay(date: number): { readonly [key: string]: Yaml } {
  const day = new Date(date);
  return { days_of_month: [String(day.getUTCDate())], months: [String(day.getUTCMonth() + 1)], years: [String(day.getUTCFullYear())] };
}

const clockTime = (minute: number): string => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
