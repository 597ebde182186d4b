import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export type Service = {
  readonly image: string;
  readonly build?: { readonly dockerfile: string; readonly target: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly restart: string;
  readonly init: boolean;
  readonly read_only: boolean;
  readonly user?: string;
  readonly privileged?: boolean;
  readonly network_mode?: string;
  readonly cap_add?: readonly string[];
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly logging: { readonly driver: string; readonly options: Readonly<Record<string, string>> };
  readonly deploy: { readonly resources: { readonly limits: { readonly cpus: string; readonly memory: string; readonly pids: number } } };
  readonly healthcheck: { readonly disable?: boolean; readonly test?: readonly string[]; readonly start_period?: string };
  readonly stop_grace_period: string;
  readonly stop_signal?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  /** Names of files in /run/secrets. */
  readonly secrets?: readonly string[];
  readonly networks: readonly string[] | Readonly<Record<string, { readonly ipv4_address?: string }>>;
};

export type ComposeFile = {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
};

export const composeText = readFileSync('docker-compose.production.yaml', 'utf8');
export const exampleText = readFileSync('.env.production.example', 'utf8');

/** The compose file as `docker compose` sees it with those variables; `${X:?…}` without a value becomes "(required)". */
export function composeFile(variables: Readonly<Record<string, string>> = {}): ComposeFile {
  const fill = (_key: string, value: unknown): unknown => (typeof value === 'string' ? interpolate(value, variables) : value);
  return JSON.parse(JSON.stringify(parse(composeText, { merge: true })), fill) as ComposeFile;
}

/** Names of all variables the compose file takes from its environment. */
export function composeVariables(): string[] {
  return [...new Set([...withoutComments(composeText).matchAll(/(?<!\$)\$\{([A-Z][A-Z0-9_]*)/g)].map(([, name]) => name ?? ''))];
}

/** The example file's variables in order of appearance. */
export function exampleVariables(): Record<string, string> {
  const lines = exampleText.split('\n').filter((line) => /^[A-Z]/.test(line));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

const secretsScript = readFileSync('deploy/docker/secrets.sh', 'utf8');

const listed = (name: string): string[] => new RegExp(`^${name}='([^']*)'$`, 'm').exec(secretsScript)?.[1]?.split(' ') ?? [];

/** Secrets that deploy/docker/secrets.sh makes when they have no value, and those it only lays out. */
export const [madeSecrets, optionalSecrets] = [listed('made_when_missing'), listed('left_empty')];

/** The example as deploy/docker/secrets.sh completes it. */
export function filledExample(): Record<string, string> {
  return { ...exampleVariables(), ...Object.fromEntries(madeSecrets.map((name) => [name, 'x'.repeat(64)])), SECRETS_DIR: '/secrets' };
}

/** Variables without which `docker compose` refuses to go on, with what it then says. */
export function requiredVariables(): Map<string, string> {
  return new Map([...composeText.matchAll(/\$\{([A-Z][A-Z0-9_]*):\?([^}]*)\}/g)].map(([, name = '', message = '']) => [name, message]));
}

/** What the programs of a service find in their environment, the files that `X_FILE` names read. */
export function environmentOf(service: Service, variables: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(service.environment ?? {}).map(([name, value]): [string, string] => {
    const secret = /^\/run\/secrets\/(\w+)$/.exec(String(value))?.[1];
    return secret === undefined ? [name, String(value)] : [name.replace(/_FILE$/, ''), variables[secret.toUpperCase()] ?? ''];
  });
  return Object.fromEntries(entries);
}

export const networksOf = ({ networks }: Service): string[] =>
  Array.isArray(networks) ? [...(networks as string[])] : Object.keys(networks);

const withoutComments = (text: string): string => text.replaceAll(/^\s*#.*$/gm, '');

/** Innermost first, so that a default may itself hold a variable. */
function interpolate(text: string, variables: Readonly<Record<string, string>>): string {
  const innermost = /(?<!\$)\$\{([A-Z][A-Z0-9_]*)(?::([-?])([^${}]*))?\}/g;
  const next = text.replaceAll(innermost, (_, name: string, kind?: string, rest = '') => {
    const value = variables[name];
    if (value !== undefined && value !== '') return value;
    return kind === '?' ? '(required)' : rest;
  });
  return next === text ? text : interpolate(next, variables);
}
