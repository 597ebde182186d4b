import type { Environment } from '#lib/env.ts';
import { UsageError } from '#lib/errors.ts';
import { readMonitorSettings } from '../config/config.ts';
import { readSigner } from '../quiet/signature.ts';
import { beatPath } from '../status-page/beat-page.ts';

/**
 * The secret address at which a job says that it has ended well.
 * @throws {UsageError} no heartbeat of that name is watched · {UnreachableError} no monitor has used the folder yet · {ConfigError}
 */
export async function heartbeatUrl(env: Environment, name: string): Promise<string> {
  const settings = await readMonitorSettings(env);
  const jobs = settings.probes.filter(({ kind }) => kind === 'heartbeat').map((probe) => probe.name);
  if (!jobs.includes(name))
    throw new UsageError(`no heartbeat is named ${name}; ${jobs.length > 0 ? `there are ${jobs.join(', ')}` : 'there is none'}`);
  return new URL(beatPath(readSigner(settings.env.MONITOR_DATA_DIR), name), settings.sender.statusUrl).href;
}

export const describeHeartbeatUrl = (url: string): string => `${url}
its end says how the job fares: /start, /fail or an exit code, as in
  job; curl -fsS -m 10 --retry 5 -o /dev/null ${url}/$?`;
