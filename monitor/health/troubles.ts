import { showDuration } from '#lib/show.ts';
import type { AlertEvent } from '../model/alert.ts';
import type { IncidentKind } from '../model/incident.ts';
import type { Fact, Finding, Health, Moment, ProbeResult } from '../model/look.ts';
import { lateTurns } from './flap.ts';
import type { TargetRules } from './target.ts';

/** One target as it is judged. */
export type Subject = {
  readonly rules: TargetRules;
  readonly health: Health;
  readonly isFlapping: boolean;
  /** Whether this kind of trouble is open already, as a process before may have left it. */
  readonly isOpen: boolean;
  /** Of what comes and goes: how often it has, as far as is known. */
  readonly turns: number;
  readonly now: Moment;
};

/** One kind of trouble: when a target has it, and how it is told. */
export type Trouble = {
  readonly kind: IncidentKind;
  /** The messages at its beginning and at its end; without the latter it ends quietly. */
  readonly opens: AlertEvent;
  readonly closes: AlertEvent | undefined;
  readonly isOn: (subject: Subject) => boolean;
  /** Since when, in ms of the epoch. */
  readonly since: (subject: Subject) => number;
  readonly opening: (subject: Subject) => Finding;
  readonly closing: (subject: Subject) => Finding;
};

/** No look of this process has shown anything yet: what was left open stays open. */
const isUnseen = (health: Health): boolean => health.conclusiveAt === undefined;

/** An outage: failures have reached their threshold. */
const down: Trouble = {
  kind: 'down',
  opens: 'firing',
  closes: 'resolved',
  isOn: ({ health }) => health.verdict === 'down',
  since: ({ health, now }) => health.failingSince?.at ?? now.at,
  opening: ({ health, now }) => {
    const { detail, ...rest } = lastFinding(health);
    if (!health.awaitedSince) return { detail, ...rest };
    const waitedMs = now.clockMs - health.awaitedSince.clockMs;
    return { detail: `it has not come up since the monitor started, ${showDuration(waitedMs)} ago: ${detail}`, ...rest };
  },
  closing: ({ health }) => ({ detail: detailOf(health) }),
};

/** A target that comes and goes: one message instead of one for each turn. */
const flapping: Trouble = {
  kind: 'flapping',
  opens: 'flapping',
  closes: 'settled',
  isOn: ({ isFlapping }) => isFlapping,
  since: ({ now }) => now.at,
  opening: ({ health, rules, now }) => {
    const { settleMs = 0 } = rules.flap ?? {};
    const turns = lateTurns(health, rules.flap, now.clockMs);
    const overMs = now.clockMs - (turns[0] ?? now.clockMs);
    const { facts = [] } = lastFinding(health);
    return {
      detail: `it went down or came back ${turns.length} times in ${showDuration(overMs)}; now: ${detailOf(health)}`,
      facts: [...facts, ['What follows', { code: 'nothingUntil', steadyMs: settleMs }]],
    };
  },
  closing: ({ health, turns }) => ({
    detail: `it has settled and is ${health.verdict}, after it went down or came back ${turns} times: ${detailOf(health)}`,
  }),
};

/** The monitor has not been able to tell for too long. */
const unknown: Trouble = {
  kind: 'unknown',
  opens: 'unknown',
  closes: 'known',
  isOn: ({ health, isOpen, rules, now }) => {
    if (isOpen) return health.faultySince !== undefined || isUnseen(health);
    return health.faultySince !== undefined && now.clockMs - health.faultySince.clockMs >= rules.patience.unknownAfterMs;
  },
  since: ({ health, now }) => health.faultySince?.at ?? now.at,
  opening: ({ health }) => ({ detail: `the monitor itself cannot tell how it is: ${health.fault}`, facts: looksOf(health) }),
  closing: ({ health }) => ({ detail: `it can be judged again and is ${health.verdict}: ${detailOf(health)}` }),
};

/** A target that works, but not well, for too long: a warning, once. */
const degraded: Trouble = {
  kind: 'degraded',
  opens: 'notice',
  closes: undefined,
  isOn: ({ health, isOpen, rules, now }) => {
    if (isOpen) return health.verdict === 'degraded' || isUnseen(health);
    return health.verdict === 'degraded' && now.clockMs - health.since.clockMs >= rules.patience.warnAfterMs;
  },
  since: ({ health }) => health.since.at,
  opening: ({ health, now }) => {
    const { detail, ...rest } = lastFinding(health);
    return { detail: `it has been degraded for ${showDuration(now.clockMs - health.since.clockMs)}: ${detail}`, ...rest };
  },
  closing: ({ health }) => ({ detail: detailOf(health) }),
};

/** In the order in which they are told. */
export const troubles: readonly Trouble[] = [flapping, down, unknown, degraded];

const detailOf = (health: Health): string => health.recent.at(-1)?.detail ?? 'not looked at yet';

/** What the last look found, with what the looks before it found. */
function lastFinding(health: Health): Finding {
  const { cause, detail, facts = [], nextStep }: Finding = health.recent.at(-1) ?? { detail: detailOf(health) };
  return {
    ...(cause === undefined ? {} : { cause }),
    detail,
    facts: [...facts, ...looksOf(health)],
    ...(nextStep === undefined ? {} : { nextStep }),
  };
}

const looksTold = 20;

/** The last looks in words, newest first: `3 failed, before that 17 ok`. */
function looksOf(health: Health): readonly Fact[] {
  const runs: { readonly outcome: ProbeResult['outcome']; count: number }[] = [];
  for (const { outcome } of health.recent.slice(-looksTold).toReversed()) {
    const latest = runs.at(-1);
    if (latest?.outcome === outcome) latest.count += 1;
    else runs.push({ outcome, count: 1 });
  }
  if (runs.length === 0) return [];
  return [['Last looks', { code: 'lastLooks', runs: runs.slice(0, 4) }]];
}
