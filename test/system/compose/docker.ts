import { messageOf } from '#lib/errors.ts';
import { runCommand } from '#lib/run-command.ts';

/** Images of others that the compose file and the Dockerfile stand on. */
export const baseImages = ['node:24-trixie-slim', 'postgres:17-trixie', 'redis:8', 'nginx:1.28', 'certbot/certbot:v4.0.0'] as const;

/** What the docker client needs of the caller's environment; settings of the stack must not leak in from there. */
export function dockerEnvironment(): Record<string, string> {
  const names = ['HOME', 'DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_CONFIG', 'DOCKER_CERT_PATH', 'DOCKER_TLS_VERIFY', 'XDG_RUNTIME_DIR'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
}

/** Runs `docker` and gives its standard output. */
export async function docker(
  args: readonly string[],
  options: { readonly timeoutMs: number; readonly env?: Record<string, string> },
): Promise<string> {
  const command = { file: 'docker', args, env: { ...dockerEnvironment(), ...options.env } };
  return (await runCommand(command, { timeoutMs: options.timeoutMs })).stdout;
}

/** Why the stack cannot be brought up on this machine; undefined when it can. */
export async function whyNoDocker(): Promise<string | undefined> {
  try {
    await docker(['info', '--format', '{{.ServerVersion}}'], { timeoutMs: 15_000 });
  } catch (err) {
    return `no Docker engine answers (${messageOf(err).split('\n')[0]})`;
  }
  try {
    await docker(['compose', 'version'], { timeoutMs: 15_000 });
  } catch {
    return 'Docker has no Compose v2 (`docker compose`)';
  }
  return whyNoImages();
}

async function whyNoImages(): Promise<string | undefined> {
  for (const image of baseImages) {
    const isLocal = await docker(['image', 'inspect', image], { timeoutMs: 15_000 }).then(
      () => true,
      () => false,
    );
    if (isLocal) continue;
    try {
      await docker(['pull', '--quiet', image], { timeoutMs: 300_000 });
    } catch (err) {
      return `the image ${image} is not here and cannot be pulled (${messageOf(err).split('\n')[0]})`;
    }
  }
  return undefined;
}
