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
  readonly networks: readonly string[] | Readonly<Record<string, { readonly ipv4_address?: string }>>;
};

export type ComposeFile = {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
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

/** The example with every secret filled in, as its reader is told to. */
export function filledExample(): Record<string, string> {
  return { ...exampleVariables(), ...Object.fromEntries(requiredVariables().map((name) => [name, 'x'.repeat(64)])) };
}

/** Variables without which `docker compose` refuses to go on. */
export function requiredVariables(): string[] {
  return [...new Set([...composeText.matchAll(/\$\{([A-Z][A-Z0-9_]*):\?/g)].map(([, name]) => name ?? ''))];
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
