import { showCountOf, showDuration } from '#lib/show.ts';
import type { Campaign, Play } from './campaign.ts';
import { matters, steady } from './campaign.ts';
import { clients } from './clients.ts';
import { mixture, stall, stallForAll, type Latency } from './known-server.ts';

/** What our own generators promise, and whether they held it. */
export type Bar = { readonly says: string; readonly isHeld: boolean };

const percentiles = ['p50Ms', 'p95Ms', 'p99Ms', 'maxMs'] as const;
type Percentile = (typeof percentiles)[number];

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;

/** Of a histogram with three significant digits. */
const resolution = 0.001;
/** What the way there and back may take on a quiet machine; the longest answer of thousands meets a collection of garbage too. */
const wayMs = { p50Ms: 1, p95Ms: 1, p99Ms: 1, maxMs: 10 } as const;

const ownNames = clients.filter(({ name }) => name.startsWith('Atalaya')).map(({ name }) => name);

const playsOf = ({ plays }: Campaign, matter: Play['matter'], client: string): Play[] =>
  plays.filter((play) => play.matter === matter && play.client === client);

/** By how much a client was off, where both said something. */
const errorsOf = (plays: readonly Play[], at: Percentile): number[] =>
  plays.flatMap(({ said, truth }) => (said[at] === null || truth[at] === null ? [] : [said[at] - truth[at]]));

/** Every promise with the figure it was held to. Pure. */
export function barsOf(campaign: Campaign): Bar[] {
  const accuracy = ownNames.flatMap((name) => {
    const plays = playsOf(campaign, 'mixture', name);
    return percentiles.map((at): Bar => {
      const found = plays.map(({ said, truth }) => ({ offMs: Math.abs((said[at] ?? NaN) - (truth[at] ?? NaN)), ofMs: truth[at] ?? NaN }));
      const isHeld = found.length > 0 && found.every(({ offMs, ofMs }) => offMs <= resolution * ofMs + wayMs[at]);
      const mostMs = Math.max(...found.map(({ offMs }) => offMs));
      return { says: `${name}: ${nameOf[at]} off by at most ${showMs(mostMs)} (0.1 % and ${wayMs[at]} ms)`, isHeld };
    });
  });
  const [closed = '', open = ''] = ownNames;
  const ratios = ratiosOf(campaign, closed);
  const lags = playsOf(campaign, 'steady', open).flatMap(({ said: { sendLag } }) => sendLag ?? []);
  const through = errorsOf(playsOf(campaign, 'stall', open), 'p99Ms');
  return [
    ...accuracy,
    { says: `${closed}: throughput × ${median(ratios).toFixed(2)} of autocannon alone (at least 0.9)`, isHeld: median(ratios) >= 0.9 },
    {
      says: `${open}, ${steady.perSecond}/s: ${lags.reduce((sum, { dropped }) => sum + dropped, 0)} dropped, send lag p99 ${showMs(median(lags.map(({ p99Ms }) => p99Ms)))} (0, at most 10 ms)`,
      isHeld: lags.length > 0 && lags.every(({ dropped }) => dropped === 0) && median(lags.map(({ p99Ms }) => p99Ms)) <= 10,
    },
    {
      says: `${open}: sees the stall, p99 off by at most ${showMs(Math.max(...through.map(Math.abs)))} of ${showMs(stallForAll().p99Ms ?? 0)}`,
      isHeld: through.length > 0 && through.every((offMs) => Math.abs(offMs) <= 50),
    },
  ];
}

/** Throughput beside autocannon's, within each round. */
function ratiosOf(campaign: Campaign, name: string): number[] {
  const alone = new Map(playsOf(campaign, 'nothing', 'autocannon').map(({ round, said }) => [round, said.perSecond]));
  return playsOf(campaign, 'nothing', name).flatMap(({ round, said }) => {
    const theirs = alone.get(round);
    return theirs === undefined ? [] : [said.perSecond / theirs];
  });
}

const nameOf: Record<Percentile, string> = { p50Ms: 'p50', p95Ms: 'p95', p99Ms: 'p99', maxMs: 'longest' };

const showMs = (ms: number): string => (Number.isNaN(ms) ? '–' : showDuration(ms));

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

/** What each client said, and by how much it was off at worst. */
function latencyTable(campaign: Campaign, matter: 'mixture' | 'stall', truth: string[]): string {
  const rows = clients.map(({ name, kind }) => {
    const plays = playsOf(campaign, matter, name);
    if (plays.length === 0) return [name, kind, 'not here', ...percentiles.map(() => '')];
    const cells = percentiles.map((at) => {
      const errors = errorsOf(plays, at);
      if (errors.length === 0) return 'says nothing';
      const worst = errors.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
      return `${showMs(median(plays.flatMap(({ said }) => said[at] ?? [])))} (${worst < 0 ? '−' : '+'}${showMs(Math.abs(worst))})`;
    });
    return [name, kind, `${median(plays.map(({ said }) => said.requests))}`, ...cells];
  });
  return table(['', 'kind', 'answers', ...percentiles.map((at) => nameOf[at])], [['**true**', '', '', ...truth], ...rows]);
}

function truthCells(of: (at: Percentile) => number | null): string[] {
  return percentiles.map((at) => `**${showMs(of(at) ?? Number.NaN)}**`);
}

const servedIn = ({ plays }: Campaign, at: keyof Latency): number =>
  median(plays.filter(({ matter }) => matter === 'mixture').flatMap(({ truth }) => truth[at] ?? []));

function speedTable(campaign: Campaign): string {
  const rows = clients
    .filter(({ kind }) => kind === 'closed')
    .map(({ name }) => {
      const plays = playsOf(campaign, 'nothing', name);
      if (plays.length === 0) return [name, 'not here', '', ''];
      const said = plays.map((play) => play.said);
      return [
        name,
        `${Math.round(median(said.map(({ perSecond }) => perSecond)))}/s`,
        `× ${median(ratiosOf(campaign, name)).toFixed(2)}`,
        showMs(median(said.map(({ p99Ms }) => p99Ms ?? Number.NaN))),
      ];
    });
  return table(['', 'answers', 'of autocannon', 'p99'], rows);
}

function lagTable(campaign: Campaign): string {
  const rows = campaign.plays
    .filter(({ matter }) => matter === 'steady')
    .map(({ round, said: { requests, sendLag, p99Ms }, others }) => [
      `round ${round + 1}`,
      `${requests}`,
      `${sendLag?.dropped}`,
      ...[sendLag?.p50Ms, sendLag?.p99Ms, sendLag?.maxMs, p99Ms].map((ms) => showMs(ms ?? Number.NaN)),
      others === null ? '–' : percent(others),
    ]);
  return table(['', 'sent', 'dropped', 'lag p50', 'lag p99', 'lag most', 'latency p99', 'CPU of others'], rows);
}

/** docs/accuracy.md. Pure. @param machine it was played on, in words */
export function accuracyPage(campaign: Campaign, machine: string): string {
  const bars = barsOf(campaign);
  const others = campaign.plays.flatMap((play) => play.others ?? []);
  const { mixture: mixed, stall: stalled, nothing } = matters;
  return `# How exact the load generators are

Written by \`npm run accuracy\` from ${showCountOf(new Set(campaign.plays.map(({ round }) => round)).size, 'round')} on ${machine}; others took ${percent(median(others))} of it (median over all plays, most ${percent(Math.max(...others))}). Every client plays on the
same machine against the same server of ours, alternately, in rounds that begin with another one each; figures are medians over
rounds, in brackets the worst distance from the truth in any round. A client that is not installed is named as that.

## Latencies that are known

Of every thousand answers ${mixture.map(({ of1000, ms }) => `${of1000} take ${ms} ms`).join(', ')}. Timers are late by up to a millisecond, so the server writes down
what each answer took by its own clock, and that is the truth. ${mixed.connections} connections without pauses, or ${mixed.perSecond} requests a second, for ${mixed.seconds} s.

${latencyTable(
  campaign,
  'mixture',
  truthCells((at) => servedIn(campaign, at)),
)}

autocannon counts whole milliseconds, rounded down, and gives no p95. wrk adds to what it has measured: for every answer slower
than usual, those that it would have asked for meanwhile, by the mean pace of the run.

## A server that stands still

In ten seconds two in which nothing is answered (from ${stall.fromMs / 1_000} s to ${stall.toMs / 1_000} s), else ${stall.elseMs} ms. The truth is what people meet who come all
the time, whether or not others were answered. ${stalled.connections} connections, or ${stalled.perSecond} requests a second, for ${stalled.seconds} s.

${latencyTable(
  campaign,
  'stall',
  truthCells((at) => stallForAll()[at]),
)}

A client whose connections wait for their answers asks nearly nothing while the server stands still: a few slow answers among
thousands are in no percentile. That is why \`users\` and \`capacity\` judge every five seconds too, and why \`capacity\` and \`--rate\` count
from the moment a request was meant for.

## How fast

A server that does nothing, ${nothing.connections} connections, ${nothing.seconds} s. Ours looks at each answer, keeps a histogram for each second and
endpoint, and plays in as many processes as every run without pauses does.

${speedTable(campaign)}

## ${steady.perSecond} requests a second

Of our own open generator: what it did not send, and how late it sent the rest. ${steady.seconds} s, two processes.

${lagTable(campaign)}

## What is promised

What is missed where others use most of the machine says little of the clients: it is to be played again on a quiet one.

${bars.map(({ says, isHeld }) => `- ${isHeld ? 'held' : '**missed**'}: ${says}`).join('\n')}
`;
}
