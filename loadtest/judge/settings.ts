import { showCount } from '#lib/show.ts';
import type { Measurement } from '../measurement/measurement.ts';
import { broken, met, notChecked, type Check } from './check.ts';

/**
 * Whether what was measured is what was set: what the API says of its settings against those it was started with, against the
 * database, and against what its pools and the database's sessions did under load.
 */
export function judgeSettings(measurement: Measurement): Check[] {
  return [judgeAsked(measurement), judgePoolCap(measurement), judgeServerMax(measurement)];
}

function judgeAsked({ target: { asked, effective } }: Measurement): Check {
  const head = { id: 'settings-effective', kind: 'invariant', title: 'The API runs with the settings it was given' } as const;
  if (asked === undefined || effective === null) return notChecked(head, 'the settings it was started with, or has, could not be read');
  if (Object.keys(asked).length === 0) return notChecked(head, 'it was started with no number of its own');
  const compared = Object.entries(asked).map(([name, wanted]) => ({ name, wanted, has: effective[name] }));
  const different = compared.filter(({ wanted, has }) => Number(wanted) !== has);
  const count = `${showCount(compared.length - different.length)} of ${showCount(compared.length)}`;
  if (different.length > 0) {
    const named = different.map(({ name, wanted, has }) => `${name} is ${String(has)}, asked for was ${wanted}`);
    return broken(head, count, 'all', named.join('; '));
  }
  const { scaled_down: scaledDown } = (effective['pool'] ?? {}) as { scaled_down?: unknown };
  return met(head, count, 'all', typeof scaledDown === 'string' ? scaledDown : '');
}

/** A session that ends beside the one that replaces it is seen in one second. */
const minSeconds = 2;

function judgePoolCap({ target: { effective }, samples }: Measurement): Check {
  const head = { id: 'pool-cap', kind: 'invariant', title: 'No more database sessions than the pools may open, at any look' } as const;
  const most = totalMax(effective);
  if (most === undefined) return notChecked(head, 'the API did not say how many its pools may open');
  const sessions = samples.flatMap(({ second, backends }) => (backends ? [{ second, count: backends.total }] : []));
  const inUse = samples.flatMap(({ second, pool }) => (pool?.most ? [{ second, count: pool.most.inUse }] : []));
  if (sessions.length + inUse.length === 0) return notChecked(head, 'neither pools nor database could be looked at', `≤ ${most}`);
  const peak = Math.max(...sessions.map(({ count }) => count), ...inUse.map(({ count }) => count));
  const beyond = sessions.filter(({ count }) => count > most);
  const overdrawn = inUse.filter(({ count }) => count > most);
  const [measured, limit] = [`${showCount(peak)} at most`, `≤ ${showCount(most)}`];
  const witnesses = [...overdrawn, ...beyond].slice(0, 3).map(({ second, count }) => ({ says: `${count} sessions`, about: {}, second }));
  if (overdrawn.length === 0 && beyond.length < minSeconds) return met(head, measured, limit);
  return broken(
    { ...head, witnesses },
    measured,
    limit,
    `${showCount(peak)} sessions of the API were seen where its pools may open ${most}`,
  );
}

function judgeServerMax({ target: { effective, maxConnections } }: Measurement): Check {
  const head = { id: 'max-connections', kind: 'invariant', title: 'The pools fit into what the database takes' } as const;
  const [most, said] = [totalMax(effective), effective?.['server_max_connections']];
  if (maxConnections === undefined) return notChecked(head, 'the database could not be asked');
  if (most === undefined || typeof said !== 'number') return notChecked(head, 'the API did not say what it takes the database to be');
  const [measured, limit] = [`${showCount(most)} of ${showCount(maxConnections)}`, `< ${showCount(maxConnections)}`];
  if (said !== maxConnections) {
    return broken(
      head,
      measured,
      limit,
      `the API takes max_connections to be ${said}, the database has ${maxConnections}: was it set after the start?`,
    );
  }
  if (most < maxConnections) return met(head, measured, limit);
  return broken(
    head,
    measured,
    limit,
    `the pools may open ${most} sessions where the database takes ${maxConnections}, for everybody together`,
  );
}

/** Sessions that all pools of all instances together may open. */
function totalMax(effective: Measurement['target']['effective']): number | undefined {
  const { total_max: most } = (effective?.['pool'] ?? {}) as { total_max?: unknown };
  const instances = effective?.['API_INSTANCES'];
  return typeof most === 'number' ? most * (typeof instances === 'number' ? instances : 1) : undefined;
}
