import { isEmbedded, type LocalSettings } from './local-env.ts';
import { adminUrl, apiUrl, monitorUrl } from './stack-environment.ts';

export type Summary = {
  readonly settings: LocalSettings;
  /** The variables of stack.json. */
  readonly env: Readonly<Record<string, string>>;
  /** How long the start took. */
  readonly startMs: number;
};

/** What `npm start` prints once everything serves: where it all is, and a key to begin with. */
export function stackSummary({ settings, env, startMs }: Summary): string {
  const rows: [string, string][] = [
    ['API', `${apiUrl(settings)}  (health: /health_check)`],
    ['Status page', settings.MONITOR_ENABLED ? monitorUrl(settings) : 'off (MONITOR_ENABLED=false)'],
    ['Admin', `${adminUrl(settings)}  (/metrics, /config; token: ADMIN_TOKEN in secrets.json)`],
    ['PostgreSQL', databaseRow(settings, env)],
    ['Logs', settings.LOG_DIR],
    ['Operator key', `${env['OPERATOR_KEY']}  (header X-API-Key)`],
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  const table = rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`).join('\n');
  return `\nAtalaya is running (started in ${(startMs / 1000).toFixed(1)} s). Its data is in ${settings.LOCAL_DATA_DIR}\n\n${table}\n\nCtrl-C stops everything.\n`;
}

function databaseRow(settings: LocalSettings, env: Readonly<Record<string, string>>): string {
  const origin = isEmbedded(settings) ? 'embedded' : 'yours, by POSTGRES_HOST';
  return `${env['POSTGRES_HOST']}:${env['POSTGRES_PORT']}, database ${env['POSTGRES_DB']}  (${origin})`;
}
