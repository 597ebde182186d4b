// How reads join, share and go together, which only can be followed in one piece; so it is long.

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
  /**
   * The row of these values; undefined when there is none. Reads of the same statement are joined into one question, so it should
   * be one that never takes long: they wait for each other.
   * @param statement has for each of the values an array, whose nth elements belong together, and shows that n, from 1, as `id_key`
   */
  readonly byEach: <Row extends IdentifiedRow>(
    statement: Statement<Row>,
    values: EachValues,
    isAwaited?: IsAwaited,
  ) => Promise<Row | undefined>;
};

/** Numbers are safe integers, and no text holds NUL. */
export type EachValues = readonly (number | string | null)[];

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
/** The same of several values, by which more than a row is found. */
const maxEach = 32;
/** Go in one piece at most, as far as they take no longer: a slow question keeps those behind it waiting. */
const maxTogether = 16;
const maxTogetherMs = 50;

/** What is asked in the same words: one statement by ids, or one statement with certain values. */
type Line = {
  readonly name: string;
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
  /** Undefined where the values are the keys. */
  readonly values: readonly unknown[] | undefined;
  /** Who waits for what each key finds; for the rows, where there are values. */
  readonly askers: Map<Key | undefined, IsAwaited[]>;
  readonly answer: Promise<Answer>;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (reason: unknown) => void;
  /** Refuses it when no connection was had in time. */
  readonly deadline: NodeJS.Timeout;
};

/** An id, or several values as elements of PostgreSQL's arrays, with NUL between, of which nothing is null. */
type Key = number | string;

type Answer = { readonly rows: QueryResultRow[]; readonly byKey: ReadonlyMap<string, QueryResultRow>; sentAtMs: number; endedAtMs: number };

/** One read: of a key, or with values. */
type Asked = { readonly key: Key | undefined; readonly values: readonly unknown[] | undefined; readonly isAwaited: IsAwaited };

export function createSharedReads(pool: Pool, { timesOf = () => undefined }: SharedReadsOptions = {}): SharedReads {
  const lines = new Map<string, Line>();
  const kins = new Map<string, Kin>();
  /** What is asked for many runs in the context of none of them. */
  const outside = AsyncLocalStorage.snapshot();

  const join = (name: string, statement: Statement, { key, values, isAwaited }: Asked): Promise<Answer> => {
    let line = lines.get(name);
    if (!line) lines.set(name, (line = { name, statement, waiting: [], onTheWay: 0, kin: kinOf(statement) }));
    let question = line.waiting.at(-1);
    if (question === undefined || question.askers.size >= (typeof key === 'string' ? maxEach : maxIds)) {
      question = outside(() => openQuestion(pool, line, values));
      // What arrives in the same turn of the event loop still joins.
      if (line.onTheWay < maxOnTheWay) {
        line.onTheWay += 1;
        outside(() => setImmediate(() => void work(line)));
      }
    }
    const alike = question.askers.get(key);
    if (alike) alike.push(isAwaited);
    else question.askers.set(key, [isAwaited]);
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
    if (line.onTheWay === 0) lines.delete(line.name);
  };

  const findOne = <Row>(statement: Statement, key: Key, isAwaited: IsAwaited): Promise<Row | undefined> =>
    join(statement.name, statement, { key, values: undefined, isAwaited }).then(({ byKey }) => {
      const row = byKey.get(String(key));
      // The question may have gone without it, for the others.
      if (row === undefined && !isAwaited()) throw new ClientGoneError();
      return row as Row | undefined;
    });

  return {
    query: <Row extends QueryResultRow>(statement: Statement<Row>, values: readonly unknown[] = [], isAwaited = always) =>
      join(`${statement.name} ${JSON.stringify(values)}`, statement, { key: undefined, values, isAwaited }).then(
        ({ rows }) => rows as Row[],
      ),
    // No value of one may make the question of all fail.
    byId: <Row extends IdentifiedRow>(statement: Statement<Row>, id: number, isAwaited = always) =>
      Number.isSafeInteger(id) ? findOne<Row>(statement, id, isAwaited) : Promise.reject(new RangeError('an id must be a safe integer')),
    byEach: <Row extends IdentifiedRow>(statement: Statement<Row>, values: EachValues, isAwaited = always) =>
      values.every((one) => (typeof one === 'string' ? !one.includes('\0') : one === null || Number.isSafeInteger(one)))
        ? findOne<Row>(statement, values.map(asElement).join('\0'), isAwaited)
        : Promise.reject(new RangeError('values must be safe integers, or texts without NUL')),
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
  const { askers, values, resolve, reject } = question;
  const keys = values ? [] : ([...askers.keys()] as Key[]);
  try {
    const rows = await runStatement(client, statement, values ?? arraysOf(keys));
    resolve({ rows, byKey: rowsByKey(rows, keys), sentAtMs, endedAtMs: performance.now() });
    return true;
  } catch (err) {
    reject(err);
    return false;
  }
}

/** For the parameters of a statement, the arrays of all that is asked, as PostgreSQL reads them. */
function arraysOf(keys: readonly Key[]): string[] {
  if (typeof keys[0] === 'number') return [`{${keys.join(',')}}`];
  const all = (keys as readonly string[]).map((key) => key.split('\0'));
  return (all[0] ?? []).map((_, index) => `{${all.map((elements) => elements[index] || 'NULL').join(',')}}`);
}

/** @see https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
const asElement = (value: EachValues[number]): EachValues[number] =>
  typeof value === 'string' ? `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"` : value;

function rowsByKey(rows: readonly QueryResultRow[], keys: readonly Key[]): Map<string, QueryResultRow> {
  const nameOf = (id: unknown): string => (typeof keys[0] === 'string' ? String(keys[Number(id) - 1]) : String(id));
  return new Map(keys.length === 0 ? [] : rows.map((row) => [nameOf(row['id_key']), row]));
}

/** From now on nobody joins it: by default the oldest. */
function close(line: Line, at = 0): Question | undefined {
  const [question] = line.waiting.splice(at, 1);
  if (line.waiting.length === 0) line.kin.waiting.delete(line);
  clearTimeout(question?.deadline);
  return question;
}

/** The same, of the oldest question that somebody still waits for, without the keys of those who left; the ones before it are dropped. */
function closeAwaited(line: Line): Question | undefined {
  for (let question = close(line); question; question = close(line)) {
    for (const [key, all] of question.askers) if (!all.some((isAwaited) => isAwaited())) question.askers.delete(key);
    if (question.askers.size > 0) return question;
    question.reject(new ClientGoneError());
  }
  return undefined;
}
