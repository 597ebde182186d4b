import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where a process spent its time, from the profile that `node --cpu-prof` leaves behind. */

type Frame = { readonly functionName: string; readonly url: string; readonly lineNumber: number };
type ProfileNode = { readonly id: number; readonly callFrame: Frame; readonly children?: readonly number[] };

export type CpuProfile = {
  readonly nodes: readonly ProfileNode[];
  /** Id of the node that ran at each sample, and the microseconds before it. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};

/** The profiles of a folder, that with most work first. */
export async function readProfiles(dir: string): Promise<CpuProfile[]> {
  const names = (await readdir(dir)).filter((name) => name.endsWith('.cpuprofile'));
  const profiles = await Promise.all(names.map(async (name) => JSON.parse(await readFile(join(dir, name), 'utf8')) as CpuProfile));
  return profiles.toSorted((a, b) => treeOf(b).us - treeOf(a).us);
}

/** A function with all that ran below it. */
type Call = { readonly name: string; readonly area: string; us: number; readonly below: Map<string, Call> };

const isWork = ({ functionName }: Frame): boolean => !['(idle)', '(root)', '(program)'].includes(functionName);

/** What the program calls: the rooms of the API by name, packages, and what Node itself does. Pure. */
export function areaOf({ functionName, url }: Frame): string {
  if (functionName === '(garbage collector)') return 'garbage collection';
  const pkg = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  if (pkg !== undefined) return pkg;
  const room = /\/((?:api|lib)\/(?:[a-z-]+\/)?)[a-z-]+\.ts$/.exec(url)?.[1];
  if (room !== undefined) return room.slice(0, -1);
  return url.startsWith('node:_http') || url.startsWith('node:http') ? 'node: http' : 'node: other';
}

function treeOf({ nodes, samples, timeDeltas }: CpuProfile): Call {
  const own = new Map<number, number>();
  samples.forEach((id, index) => own.set(id, (own.get(id) ?? 0) + (timeDeltas[index] ?? 0)));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const add = ({ id, callFrame, children = [] }: ProfileNode, into: Call): number => {
    const name = callFrame.functionName || '(anonymous)';
    const key = `${name} ${callFrame.url}`;
    const call = into.below.get(key) ?? { name, area: areaOf(callFrame), us: 0, below: new Map() };
    let us = isWork(callFrame) ? (own.get(id) ?? 0) : 0;
    for (const child of children) us += add(byId.get(child) as ProfileNode, call);
    call.us += us;
    if (us > 0) into.below.set(key, call);
    return us;
  };
  const root: Call = { name: 'all', area: 'node: other', us: 0, below: new Map() };
  for (const id of nodes[0]?.children ?? []) root.us += add(byId.get(id) as ProfileNode, root);
  return root;
}

/**
 * Shares of the working time by area, the greatest first: what a function of Node's does counts for the room or package
 * that called it, as far as one did. Pure.
 */
export function sharesByArea(profile: CpuProfile): [area: string, share: number][] {
  const shares = new Map<string, number>();
  const root = treeOf(profile);
  const walk = (call: Call, caller: string): void => {
    const area = call.area.startsWith('node:') && !caller.startsWith('node:') ? caller : call.area;
    let self = call.us;
    for (const one of call.below.values()) {
      walk(one, area);
      self -= one.us;
    }
    shares.set(area, (shares.get(area) ?? 0) + self / root.us);
  };
  for (const call of root.below.values()) walk(call, 'node: other');
  return [...shares].toSorted(([, a], [, b]) => b - a);
}

const [width, rowHeight, leastShare, deepest] = [1_200, 15, 0.004, 60];

/** A flame graph: each function as wide as its time, above what called it. What took less than 4 in 1,000 is left out. Pure. */
export function flameSvg(profile: CpuProfile, title: string): string {
  const root = treeOf(profile);
  const boxes: string[] = [];
  let depthUsed = 0;
  const draw = (call: Call, x: number, depth: number): void => {
    const boxWidth = (call.us / root.us) * width;
    if (call.us / root.us < leastShare || depth > deepest) return;
    depthUsed = Math.max(depthUsed, depth);
    boxes.push(box(call, { x, y: depth, boxWidth, share: call.us / root.us }));
    let left = x;
    for (const one of [...call.below.values()].toSorted((a, b) => b.us - a.us)) {
      draw(one, left, depth + 1);
      left += (one.us / root.us) * width;
    }
  };
  draw(root, 0, 1);
  const height = (depthUsed + 2) * rowHeight;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="monospace" font-size="10"><rect width="100%" height="100%" fill="#fff"/><text x="4" y="11">${escaped(title)}</text>${boxes.join('')}</svg>\n`;
}

function box({ name, area }: Call, { x, y, boxWidth, share }: { x: number; y: number; boxWidth: number; share: number }): string {
  const letters = Math.floor((boxWidth - 4) / 6);
  const label = letters < 3 ? '' : `<text x="${(x + 2).toFixed(1)}" y="${y * rowHeight + 11}">${escaped(name.slice(0, letters))}</text>`;
  const rect = `<rect x="${x.toFixed(1)}" y="${y * rowHeight}" width="${Math.max(0.5, boxWidth - 0.5).toFixed(1)}" height="${rowHeight - 1}" fill="${colorOf(area)}"/>`;
  return `<g><title>${escaped(`${name} · ${area} · ${(100 * share).toFixed(1)} %`)}</title>${rect}${label}</g>`;
}

function colorOf(area: string): string {
  if (area === 'garbage collection') return '#e58a8a';
  if (area.startsWith('node:')) return '#d5d5d5';
  return area.startsWith('api') || area.startsWith('lib') ? '#8fc1e3' : '#f2c57c';
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
