import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '#lib/errors.ts';
import { runCommand } from '#lib/run-command.ts';
import type { StatusView } from '#monitor/status-page/status-view.ts';
import { freePort } from '../../support/free-port.ts';
import { docker } from './docker.ts';

export type ComposeProject = {
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly monitorPort: number;
  readonly operatorKey: string;
  /** What the monitor sees, as operators see it. */
  readonly monitorView: () => Promise<StatusView>;
  /** Values of all secrets; those that are not set are empty. */
  readonly secrets: readonly string[];
  /** Builds, starts and waits until every service is healthy. @throws with the last lines of every service's log. */
  readonly up: () => Promise<void>;
  /** Runs a command in a service's container and gives its standard output. */
  readonly exec: (service: string, ...command: string[]) => Promise<string>;
  readonly compose: (args: readonly string[], timeoutMs: number) => Promise<string>;
  /** Removes containers, networks, volumes and images of this project, and nothing else. */
  readonly down: () => Promise<void>;
};

/**
 * The production stack under a name of its own, on free ports. Its settings are a file's, completed by
 * deploy/docker/secrets.sh; only what two stacks on one machine cannot share is set besides: names, ports, a network.
 * @param settings what .env.production holds at first; default: .env.production.example
 */
export async function createComposeProject(settings?: string): Promise<ComposeProject> {
  const id = randomBytes(4).toString('hex');
  const folder = await mkdtemp(join(tmpdir(), 'atalaya-compose-'));
  const envFile = join(folder, '.env.production');
  await writeFile(envFile, settings ?? (await readFile('.env.production.example', 'utf8')));
  await runCommand({ file: 'sh', args: ['deploy/docker/secrets.sh', envFile] }, { timeoutMs: 10_000 });
  const [httpPort, httpsPort, monitorPort] = [await freePort(), await freePort(), await freePort()];
  const images = { API_IMAGE: `atalaya-test-api:${id}`, MONITOR_IMAGE: `atalaya-test-monitor:${id}` };
  const env = {
    ...images,
    COMPOSE_PROJECT_NAME: `atalaya-test-${id}`,
    HTTP_PORT: String(httpPort),
    HTTPS_PORT: String(httpsPort),
    MONITOR_PORT: String(monitorPort),
    WEB_NETWORK: `10.${201 + ((randomBytes(1)[0] ?? 0) % 50)}.${randomBytes(1)[0] ?? 0}`,
  };
  const compose = (args: readonly string[], timeoutMs: number): Promise<string> =>
    docker(['compose', '--env-file', envFile, '--file', 'docker-compose.production.yaml', ...args], { timeoutMs, env });
  const up = async (): Promise<void> => {
    try {
      await compose(['up', '--detach', '--build', '--wait', '--wait-timeout', '180'], 600_000);
    } catch (err) {
      const logs = await compose(['logs', '--tail', '20', '--no-color'], 30_000).catch(messageOf);
      throw new Error(`${messageOf(err)}\n${logs}`, { cause: err });
    }
  };
  const monitorPassword = await readFile(join(folder, 'secrets/monitor_password'), 'utf8');
  return {
    httpPort,
    httpsPort,
    monitorPort,
    up,
    compose,
    monitorView: async () => {
      const authorization = `Bearer ${monitorPassword}`;
      const response = await fetch(`http://127.0.0.1:${monitorPort}/api/operator/status`, { headers: { authorization } });
      return (await response.json()) as StatusView;
    },
    operatorKey: await readFile(join(folder, 'secrets/bootstrap_operator_key'), 'utf8'),
    secrets: await Promise.all((await readdir(join(folder, 'secrets'))).map((name) => readFile(join(folder, 'secrets', name), 'utf8'))),
    exec: (service, ...command) => compose(['exec', '--no-TTY', service, ...command], 120_000),
    down: async () => {
      await compose(['down', '--volumes', '--remove-orphans', '--timeout', '15'], 120_000);
      await docker(['image', 'rm', '--force', ...Object.values(images)], { timeoutMs: 60_000 }).catch(() => {});
      await rm(folder, { recursive: true, force: true });
    },
  };
}
