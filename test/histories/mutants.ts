import type { ExitCode } from '#lib/exit-codes.ts';
import { catchMutants as catchAll, type Mutant } from '#test/zoo/catch-mutants.ts';

const files = {
  deliver: 'monitor/alerts/deliver.ts',
  outbox: 'monitor/alerts/outbox.ts',
  pace: 'monitor/alerts/pace.ts',
  plan: 'monitor/alerts/plan-send.ts',
  tick: 'monitor/health/plan-tick.ts',
  holds: 'monitor/health/holds.ts',
  policy: 'monitor/health/alert-policy.ts',
  messages: 'monitor/store/message-table.ts',
} as const;

/** Monitors with one thing wrong in them, each of which the histories must notice. */
export const mutants: readonly Mutant[] = [
  {
    name: 'marked-before-sent',
    says: 'a message is marked sent before it is sent',
    file: files.deliver,
    find: '  try {\n    await within(',
    put: "  outbox.settle(message, { state: 'sent' });\n  try {\n    await within(",
  },
  {
    name: 'not-recorded-first',
    says: 'a send is begun without being recorded',
    file: files.outbox,
    find: '      for (const message of begun) put(book, message);\n      return { begun, isRecorded: unwritten.write() };',
    put: '      return { begun, isRecorded: true };',
  },
  {
    name: 'mark-left-out',
    says: 'a message that may be a repeat does not say so',
    file: files.deliver,
    find: 'mayRepeat: plan.message.isUncertain,',
    put: 'mayRepeat: false,',
  },
  {
    name: 'end-held-in-silence',
    says: 'the end of an outage is held back by a silence',
    file: files.tick,
    find: "if (decision.action !== 'resolve' || !trouble.closes) return",
    put: "if (decision.action !== 'resolve' || !trouble.closes || quiet) return",
  },
  {
    name: 'silence-forgotten',
    says: 'a silence keeps nothing back',
    file: files.holds,
    find: "ownQuiet: HoldRule = ({ quiet }) => (quiet ? { reason: 'quiet' } : undefined)",
    put: 'ownQuiet: HoldRule = () => undefined',
  },
  {
    name: 'parent-forgotten',
    says: 'an outage of the database does not explain that of the API',
    file: files.holds,
    find: "if (health.verdict === 'down') return { reason: 'parent_down', parent: name };",
    put: "if (health.verdict === 'down') return undefined;",
  },
  {
    name: 'held-for-ever',
    says: 'what a silence held back is not told once it is over',
    file: files.policy,
    find: "  if (hold) return { action: 'hold', ...hold };",
    put: "  if (hold || incident?.heldBy !== undefined) return { action: 'hold', reason: 'already_firing' };",
  },
  {
    name: 'nagging',
    says: 'reminders go on after somebody has taken it on',
    file: files.holds,
    find: "incident?.acknowledged ? { reason: 'acknowledged' } : undefined",
    put: "incident === null ? { reason: 'acknowledged' } : undefined",
  },
  {
    name: 'newest-first',
    says: 'the newest message of an incident goes first',
    file: files.plan,
    find: 'const [first, ...later] = messages as',
    put: 'const [first, ...later] = messages.toReversed() as',
  },
  {
    name: 'memory-only',
    says: 'what waits for a channel is not read again after a crash',
    file: files.messages,
    find: 'messagesWhere("state = \'pending\'", [])',
    put: 'messagesWhere("state = \'pending\' AND attempts > 0", [])',
  },
  {
    name: 'given-up',
    says: 'a message that was refused once is given up, and nobody is told of that',
    file: files.pace,
    find: "state: isSetAside ? 'failed' : 'pending',",
    put: "state: isSetAside || failure.scope === 'message' ? 'merged' : 'pending',",
  },
  {
    name: 'long-waits',
    says: 'a channel that cannot be reached is tried every five minutes',
    file: files.pace,
    find: 'const soonAgainMs = 4_000;',
    put: 'const soonAgainMs = 300_000;',
  },
  {
    name: 'nobody-to-tell',
    says: 'what was decided before there was a channel is forgotten',
    file: files.outbox,
    find: 'if (queues.size === 0) unwritten.keepMessage',
    put: 'if (queues.size < 0) unwritten.keepMessage',
  },
  {
    name: 'disk-silences',
    says: 'a store that takes nothing stops delivery',
    file: files.deliver,
    find: '    const now = clock();\n    if (now.clockMs < pace.notBeforeMs)',
    put: '    const now = clock();\n    if (outbox.storeFault()) return 1_000;\n    if (now.clockMs < pace.notBeforeMs)',
  },
];

const historiesPerMutant = 400;

/** Plays each mutant until a history breaks a rule. */
export const catchMutants = (names: readonly string[]): Promise<ExitCode> =>
  catchAll(mutants, names, {
    play: ['test/histories/cli.ts', 'run', '--count', String(historiesPerMutant), '--first'],
    extent: `${historiesPerMutant} histories`,
  });
