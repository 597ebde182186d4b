import { expect, test } from 'vitest';
import { judgeRest } from '#loadtest/judge/at-rest.ts';
import type { TargetAtRest } from '#loadtest/measurement/measurement.ts';
import { atRest, healthyMeasurement } from '../build-measurement.ts';

const judgedRest = (rest: Partial<TargetAtRest> | null) =>
  judgeRest(healthyMeasurement({ rest: rest === null ? null : { ...atRest, ...rest } }));

const connections = { id: 'connections-returned', kind: 'invariant', title: 'Pool connections in use back to zero', limit: '0' } as const;
const transactions = { id: 'transactions-closed', kind: 'invariant', title: 'No transaction left open', limit: '0' } as const;

test('a target that gave everything back is at rest', () => {
  expect(judgedRest({})).toEqual([
    { ...connections, outcome: 'met', measured: '0', reason: '' },
    { ...transactions, outcome: 'met', measured: '0', reason: '' },
  ]);
});

test('what was not given back is counted, and traced to who holds it', () => {
  const holders = [
    { worker: '1', inUse: 2 },
    { worker: '2', inUse: 1 },
  ];
  const openSessions = [{ pid: 77, idleMs: 12_000, statement: 'UPDATE products' }];
  expect(judgedRest({ connectionsInUse: 3, holders, openTransactions: 1, openSessions })).toEqual([
    {
      ...connections,
      outcome: 'broken',
      measured: '3',
      reason: '3 connections still checked out 10 s after the last request: a leak',
      witnesses: [
        { says: 'its pool misses 2 connections', about: { worker: '1' } },
        { says: 'its pool misses 1 connection', about: { worker: '2' } },
      ],
    },
    {
      ...transactions,
      outcome: 'broken',
      measured: '1',
      reason: '1 session of the API still in a transaction 10 s after the last request',
      witnesses: [{ says: 'idle in its transaction for 12 s, last ran: UPDATE products', about: { pid: 77 } }],
    },
  ]);
});

test('of many who hold something three are shown', () => {
  const holders = ['1', '2', '3', '4'].map((worker) => ({ worker, inUse: 1 }));
  const [check] = judgedRest({ connectionsInUse: 4, holders });
  expect(check?.witnesses?.map(({ about }) => about['worker'])).toEqual(['1', '2', '3']);
});

test.each<[string, Partial<TargetAtRest> | null]>([
  ['the run ended before the target was at rest', null],
  ['no access; no token', { connectionsInUse: null, openTransactions: null, notes: ['no access', 'no token'] }],
  ['it could not be read', { connectionsInUse: null, openTransactions: null }],
])('what could not be counted is not checked: %s', (reason, rest) => {
  expect(judgedRest(rest)).toEqual([
    { ...connections, outcome: 'not-checked', measured: '–', reason },
    { ...transactions, outcome: 'not-checked', measured: '–', reason },
  ]);
});
