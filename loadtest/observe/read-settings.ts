import type { TargetFacts } from '../measurement/measurement.ts';
import type { Target } from '../targets/target.ts';
import type { Observers } from './sample-server.ts';

export type TargetSettings = Pick<TargetFacts, 'effective' | 'asked' | 'maxConnections'>;

/** What the target says it was set to, what it was asked to be, and what its database gives; none of it secret. */
export async function readSettings({ settings }: Target, { admin, database }: Observers): Promise<TargetSettings> {
  const [effective = null, maxConnections] = await Promise.all([admin.config(), database.maxConnections()]);
  const asked = settings && effective && numbersAsked(settings, effective);
  return { effective, ...(asked && { asked }), ...(maxConnections !== undefined && { maxConnections }) };
}

/** Those the target takes to be numbers: no secret is one, and a number is written in one way. Pure. */
export const numbersAsked = (
  settings: Readonly<Record<string, string>>,
  effective: Readonly<Record<string, unknown>>,
): Record<string, string> => Object.fromEntries(Object.entries(settings).filter(([name]) => typeof effective[name] === 'number'));
