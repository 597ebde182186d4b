import { expect, test } from 'vitest';
import { flameSvg, sharesByArea, type CpuProfile } from '#bench/profile/flame.ts';

const frame = (functionName: string, url = '') => ({ functionName, url, lineNumber: 1 });

/** 100 ms: 40 in Node for the limiter, 20 in the limiter itself, 10 in a package it calls, 30 of collecting garbage; and idling. */
const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 6, 7] },
    { id: 2, callFrame: frame('take', 'file:///srv/api/limiter/limiter.ts'), children: [3, 4] },
    { id: 3, callFrame: frame('nextTick', 'node:internal/process/task_queues') },
    { id: 4, callFrame: frame('get', 'file:///srv/node_modules/lru-cache/dist/index.js') },
    { id: 6, callFrame: frame('(garbage collector)') },
    { id: 7, callFrame: frame('(idle)') },
  ],
  samples: [2, 3, 4, 6, 7],
  timeDeltas: [20_000, 40_000, 10_000, 30_000, 900_000],
};

test('what Node does for a room counts as the room’s, a package as itself, and idling as nothing', () => {
  const shares = sharesByArea(profile).map(([area, share]) => `${area} ${share.toFixed(2)}`);
  expect(shares).toEqual(['api/limiter 0.60', 'garbage collection 0.30', 'lru-cache 0.10']);
});

test('a flame graph is as wide as the time, leaves out what took next to none, and escapes what it shows', () => {
  const more = { ...profile, nodes: profile.nodes.map((node) => (node.id === 3 ? { ...node, callFrame: frame('a<b&"c"') } : node)) };
  const svg = flameSvg({ ...more, samples: [...more.samples, 4], timeDeltas: [20_000, 40_000, 100, 39_900, 0, 0] }, 'GET');
  expect(svg).toContain('a&lt;b&amp;&quot;c&quot; · node: other · 40.0 %');
  expect(svg).toContain('width="479.5"');
  expect(svg).not.toContain('lru-cache');
});
