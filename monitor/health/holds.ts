import type { Incident, IncidentKind } from '../model/incident.ts';
import type { Health } from '../model/look.ts';
import type { Quiet } from '../model/quiet.ts';

/** A target that others stand on, as the rules see it. */
export type Parent = { readonly name: string; readonly health: Health; readonly isFlapping: boolean };

/** What the rules are asked: may this trouble of this target be told now? */
export type Question = {
  readonly kind: IncidentKind;
  readonly health: Health;
  readonly isFlapping: boolean;
  /** What is open of this kind; undefined at its first moment. */
  readonly incident: Incident | undefined;
  /** On what it stands: of each group one is enough. */
  readonly parents: readonly (readonly Parent[])[];
  /** Time it gets to follow once a parent that explained it is back, in ms. */
  readonly graceMs: number;
  /** Time it gets from the start of the monitor to be up for the first time, in ms. */
  readonly startGraceMs: number;
  /** A silence or planned work of the target. */
  readonly quiet?: Quiet | undefined;
  readonly clockMs: number;
};

/**
 * Why a message waits.
 * `parent_down`, `parent_flapping`: the parent's own message says it all. `parent_unsettled`: the parent may be about to go
 * down, or nobody has looked at it since this trouble began. `parent_recovering`: the parent is back and the target gets
 * time to follow. `starting`: it gets time to come up, as when everything was started at once. `recovering`: it
 * answers again, and may be up in a moment. `flapping`: one message has told that it comes and goes. `acknowledged`: somebody
 * has taken on what was told. `quiet`: a silence, or planned work.
 */
export type Hold = {
  readonly reason:
    | 'parent_down'
    | 'parent_flapping'
    | 'parent_unsettled'
    | 'parent_recovering'
    | 'starting'
    | 'recovering'
    | 'flapping'
    | 'acknowledged'
    | 'quiet';
  readonly parent?: string;
};

type HoldRule = (question: Question) => Hold | undefined;

/**
 * A parent the monitor cannot look at holds nothing back: better one page too many than none. Parents that are down count
 * whether or not they are themselves held back, so the rule is transitive.
 */
const dependency: HoldRule = (question) => {
  const holds = question.parents.flatMap((group) => groupHold(group, question.health) ?? []);
  const hold = holds.find(({ reason }) => reason === 'parent_down') ?? holds[0];
  if (hold) return hold;
  const explains = question.parents.flat().find(({ name }) => name === question.incident?.suppressedBy);
  return explains && isFollowing(explains, question) ? { reason: 'parent_recovering', parent: explains.name } : undefined;
};

/** Within the grace time after its parent; one that came and went with it has had no turn since. */
function isFollowing(parent: Parent, { kind, health, graceMs, clockMs }: Question): boolean {
  const { backSince } = parent.health;
  if (kind !== 'flapping') return backSince !== undefined && clockMs - backSince.clockMs < graceMs;
  return (health.turnsMs.at(-1) ?? 0) - (parent.health.turnsMs.at(-1) ?? 0) < graceMs;
}

const ownStart: HoldRule = ({ kind, health, startGraceMs, clockMs }) =>
  kind === 'down' && health.awaitedSince && clockMs - health.awaitedSince.clockMs < startGraceMs ? { reason: 'starting' } : undefined;

/** Its first answer may well be the end of it. */
const ownRecovery: HoldRule = ({ kind, health }) => (kind === 'down' && health.successes > 0 ? { reason: 'recovering' } : undefined);

const ownFlapping: HoldRule = ({ kind, isFlapping }) => (kind === 'down' && isFlapping ? { reason: 'flapping' } : undefined);

const ownAcknowledgement: HoldRule = ({ incident }) => (incident?.acknowledged ? { reason: 'acknowledged' } : undefined);

const ownQuiet: HoldRule = ({ quiet }) => (quiet ? { reason: 'quiet' } : undefined);

/** In the order in which they are asked; the first that answers gives the reason. */
const holdRules: readonly HoldRule[] = [dependency, ownStart, ownRecovery, ownFlapping, ownAcknowledgement, ownQuiet];

/** Why a message waits; undefined when it may go out. Only what begins waits: what ends is told whenever its beginning was. Pure. */
export function holdOf(question: Question): Hold | undefined {
  for (const rule of holdRules) {
    const hold = rule(question);
    if (hold) return hold;
  }
  return undefined;
}

/** A group explains nothing while one of its members is well: that one is enough. */
function groupHold(group: readonly Parent[], child: Health): Hold | undefined {
  const holds = group.map((parent) => parentHold(parent, child));
  if (holds.includes(undefined)) return undefined;
  return holds.find((hold) => hold?.reason === 'parent_unsettled') ?? holds[0];
}

function parentHold({ name, health, isFlapping }: Parent, child: Health): Hold | undefined {
  if (health.verdict === 'down') return { reason: 'parent_down', parent: name };
  if (isFlapping) return { reason: 'parent_flapping', parent: name };
  return isOpenQuestion(health, child) ? { reason: 'parent_unsettled', parent: name } : undefined;
}

function isOpenQuestion(parent: Health, child: Health): boolean {
  if (parent.fault !== undefined) return false;
  if (parent.conclusiveAt === undefined || parent.failures > 0) return true;
  return child.failingSince !== undefined && parent.conclusiveAt.clockMs < child.failingSince.clockMs;
}
