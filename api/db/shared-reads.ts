import { AsyncLocalStorage } from 'node:async_hooks';
import type { Pool, PoolClient, QueryResultRow } from 'pg';
import { ClientGoneError } from '../errors.ts';
import { holdBack, runStatement, type Statement } from './statement.ts';

/**
 * Reads that ask the database once for what many ask. A read joins a question that waits to be sent, never one that has
 * been: the snapshot of its answer is then younger than the read itself, which so sees every write that was answered
 * before, by whichever process. Nothing is kept, and nothing has to be invalidated. Where connections are scarce, different
 * questions of one statement go over one connection in one piece. What nobody waits for any more, when it could be sent, is
 * not asked: those reads reject with ClientGoneError. See docs/decisions/018.
 */
export type SharedReads = {
  /** The rows of a statement. Reads of the same statement with the same values share them, so nobody may change them. */
  readonly query: <Row extends QueryResultRow>(
    statement: Statement<Row>,
    values?: readonly unknown[],
    isAwaited?: IsAwaited,
  ) => Promise<Row[]>;
  /**
   * The row of that id; undefined when there is none. Reads of the same statement are joined into one question.
   * @param statement has the ids, a `bigint[]`, as its only parameter, and shows `id_key`
   */
  readonly byId: <Row extends IdentifiedRow>(statement: Statement<Row>, id: number, isAwaited?: IsAwaited) => Promise<Row | undefined>;
};

/** Whether somebody still waits for a read; by default somebody does. */
export type IsAwaited = () => boolean;
const always: IsAwaited = () => true;

export type IdentifiedRow = QueryResultRow & { readonly id_key: number | string };

/** Told of one read, in milliseconds: how long it waited for a connection, how long the connection was held. */
export type NoteTimes = (waitedMs: number, heldMs: number) => void;

export type SharedReadsOptions = {
  /** Asked when a read begins, in its own context; undefined where nobody wants to know. */
  readonly timesOf?: () => NoteTimes | undefined;
};

/** Of one kind: while one is answered the next is on its way, and everybody else gathers behind them. */
const maxOnTheWay = 2;
/** Keeps the answer to one question small; who comes after it asks the next. */
const maxIds = 500;
/** Go in one piece at most, as far as they take no longer: a slow question keeps those behind it waiting. */
const maxTogether = 16;
const maxTogetherMs = 50;

/** What is asked in the same words: one statement by ids, or one statement with certain values. */
type Line = {
  readonly key: string;
  readonly statement: Statement;
  readonly waiting: Question[];
  /** Questions that have a connection, or are about to get one. */
  onTheWay: number;
  readonly kin: Kin;
};

/** All that is asked by one statement, with whichever values. */
type Kin = {
  /** Lines in which a question waits. */
  readonly waiting: Set<Line>;
  /** How long a question takes, the newest counting most; undefined: none has been answered. */
  msEach: number | undefined;
};

/** One question to the database. It is open to others as long as it stands in the line's `waiting`. */
type Question = {
  /** Undefined where the values are the ids. */
  readonly values: readonly unknown[] | undefined;
  /** Who waits for each id; for the rows, where there are values. */
  readonly askers: Map<number | undefined, IsAwaited[]>;
  readonly answer: Promise<Answer>;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (reason: unknown) => void;
  /** Refuses it when no connection was had in time. */
  readonly deadline: NodeJS.Timeout;
};

type Answer = { readonly rows: QueryResultRow[]; readonly byId: ReadonlyMap<string, QueryResultRow>; sentAtMs: number; endedAtMs: number };

/** One read: of an id, or with values. */
type Asked = { readonly id: number | undefined; readonly values: readonly unknown[] | undefined; readonly isAwaited: IsAwaited };

export function createSharedReads(pool: Pool, { timesOf = () => undefined }: SharedReadsOptions = {}): SharedReads {
  const lines = new Map<string, Line>();
  const kins = new Map<string, Kin>();
  /** What is asked for many runs in the context of none of them. */
  const outside = AsyncLocalStorage.snapshot();

  const join = (key: string, statement: Statement, { id, values, isAwaited }: Asked): Promise<Answer> => {
    let line = lines.get(key);
    if (!line) lines.set(key, (line = { key, statement, waiting: [], onTheWay: 0, kin: kinOf(statement) }));
    let question = line.waiting.at(-1);
    if (question === undefined || question.askers.size >= maxIds) {
      question = outside(() => openQuestion(pool, line, values));
      // What arrives in the same turn of the event loop still joins.
      if (line.onTheWay < maxOnTheWay) {
        line.onTheWay += 1;
        outside(() => setImmediate(() => void work(line)));
      }
    }
    const alike = question.askers.get(id);
    if (alike) alike.push(isAwaited);
    else question.askers.set(id, [isAwaited]);
    const noteTimes = timesOf();
    if (!noteTimes) return question.answer;
    const askedAtMs = performance.now();
    return question.answer.then((answer) => {
      noteTimes(answer.sentAtMs - askedAtMs, answer.endedAtMs - answer.sentAtMs);
      return answer;
    });
  };

  const kinOf = ({ name }: Statement): Kin => {
    const known = kins.get(name);
    if (known) return known;
    const made = { waiting: new Set<Line>(), msEach: undefined };
    kins.set(name, made);
    return made;
  };

  /** Goes on for a line of which one question is on the way, once `asked` is answered. */
  const work = async (line: Line, asked?: Promise<unknown>): Promise<void> => {
    await asked;
    while (line.waiting.length > 0) await askNext(pool, line, (other, answered) => void work(other, answered));
    line.onTheWay -= 1;
    if (line.onTheWay === 0) lines.delete(line.key);
  };

  return {
    query: <Row extends QueryResultRow>(statement: Statement<Row>, values: readonly unknown[] = [], isAwaited = always) =>
      join(`${statement.name} ${JSON.stringify(values)}`, statement, { id: undefined, values, isAwaited }).then(
        ({ rows }) => rows as Row[],
      ),
    byId: <Row extends IdentifiedRow>(statement: Statement<Row>, id: number, isAwaited = always) => {
      // No value of one may make the question of all fail.
      if (!Number.isSafeInteger(id)) return Promise.reject(new RangeError('an id must be a safe integer'));
      return join(statement.name, statement, { id, values: undefined, isAwaited }).then(({ byId }) => {
        const row = byId.get(String(id));
        // The question may have gone without it, for the others.
        if (row === undefined && !isAwaited()) throw new ClientGoneError();
        return row as Row | undefined;
      });
    },
  };
}

function openQuestion({ options }: Pool, line: Line, values: readonly unknown[] | undefined): Question {
  const { promise: answer, resolve, reject } = Promise.withResolvers<Answer>();
  const giveUp = (): void => {
    close(line, line.waiting.indexOf(question));
    // The words of the pool, whose connections are what it waited for.
    reject(new Error('timeout exceeded when trying to connect'));
  };
  const deadline = setTimeout(giveUp, options.connectionTimeoutMillis);
  const question: Question = { values, askers: new Map(), answer, resolve, reject, deadline };
  line.waiting.push(question);
  line.kin.waiting.add(line);
  return question;
}

/**
 * Asks the oldest question once there is a connection; until then others may join it. With it go such of its kin as wait.
 * @param onTaken told of each of their lines, where one more is then on the way, and when that one is answered
 */
async function askNext(pool: Pool, line: Line, onTaken: (line: Line, answered: Promise<unknown>) => void): Promise<void> {
  let client: PoolClient;
  try {
    client = await pool.connect();
  } catch (err) {
    close(line)?.reject(err);
    return;
  }
  const question = closeAwaited(line);
  if (!question) return client.release();
  const others = pool.waitingCount === 0 ? [] : linesToTake(line.kin);
  const sentAtMs = performance.now();
  const letGo = others.length === 0 ? undefined : holdBack(client);
  const answers = [ask(client, line.statement, question, sentAtMs)];
  for (const other of others) {
    const together = closeAwaited(other);
    if (!together) continue;
    other.onTheWay += 1;
    const answered = ask(client, other.statement, together, sentAtMs);
    answers.push(answered);
    onTaken(other, answered);
  }
  letGo?.();
  const isFine = (await Promise.all(answers)).every((one) => one);
  const msEach = (performance.now() - sentAtMs) / answers.length;
  line.kin.msEach = line.kin.msEach === undefined ? msEach : (3 * line.kin.msEach + msEach) / 4;
  // As `pool.query` does: whatever went wrong, the next one gets another connection.
  client.release(!isFine);
}

/** Lines whose oldest question goes in one piece with another; none of which two are on the way already. */
function linesToTake({ waiting, msEach = maxTogetherMs }: Kin): Line[] {
  const most = Math.min(maxTogether, Math.floor(maxTogetherMs / msEach)) - 1;
  const taken: Line[] = [];
  for (const line of waiting) {
    if (taken.length >= most) break;
    if (line.onTheWay < maxOnTheWay) taken.push(line);
  }
  return taken;
}

/** Whether it was answered. Whoever waits learns that before the connection is free again. */
async function ask(client: PoolClient, statement: Statement, question: Question, sentAtMs: number): Promise<boolean> {
  const { askers, values = [`{${[...askers.keys()].join(',')}}`], resolve, reject } = question;
  try {
    const rows = await runStatement(client, statement, values);
    const byId = new Map(question.values ? [] : rows.map((row) => [String(row['id_key']), row]));
    resolve({ rows, byId, sentAtMs, endedAtMs: performance.now() });
    return true;
  } catch (err) {
    reject(err);
    return false;
  }
}

/** From now on nobody joins it: by default the oldest. */
function close(line: Line, at = 0): Question | undefined {
  const [question] = line.waiting.splice(at, 1);
  if (line.waiting.length === 0) line.kin.waiting.delete(line);
  clearTimeout(question?.deadline);
  return question;
}

/** The same, of the oldest question that somebody still waits for, without the ids of those who left; the ones before it are dropped. */
function closeAwaited(line: Line): Question | undefined {
  for (let question = close(line); question; question = close(line)) {
    for (const [id, all] of question.askers) if (!all.some((isAwaited) => isAwaited())) question.askers.delete(id);
    if (question.askers.size > 0) return question;
    question.reject(new ClientGoneError());
  }
  return undefined;
}
