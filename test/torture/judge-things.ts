import type { Aftermath } from './aftermath.ts';
import type { Entry, History, What } from './history.ts';
import type { Rule, Violation } from './rules.ts';

/** Holds addresses, reviews, bills, and orders that are filled line by line, against what their clients were told. All of it pure. */

type Stored = Aftermath['things'][number];
type Make = Extract<What, { kind: 'make' }>;
type Change = Extract<What, { kind: 'change' | 'remove' }>;

export function checkThings(history: History, { things, moved, bills }: Aftermath): Violation[] {
  const stored = new Map(things.map((one) => [nameOf(one), one]));
  const made = madeOf(history);
  const changes = Map.groupBy(history.filter(isChange), ({ what }) => nameOf(what));
  return [
    ...checkMakers(made),
    ...[...stored.keys()].flatMap((name) => (made.has(name) ? [] : wrong('made-once', `${name} is there, and nobody was told of it`))),
    ...[...made].flatMap(([name, [first]]) =>
      checkThing({ name, made: (first as Told).what, changes: changes.get(name) ?? [] }, stored.get(name)),
    ),
    ...moved.flatMap(({ line, pieces, moved: taken }) =>
      pieces === taken ? [] : wrong('lines-moved', `line ${line} has ${pieces} pieces and has taken ${taken} out of stock`),
    ),
    ...bills.flatMap(checkBill),
    ...checkNumbers(made, bills),
  ];
}

const nameOf = ({ thing, id }: { readonly thing: string; readonly id: number }): string => `${thing} ${id}`;

const wrong = (rule: Rule, detail: string): Violation[] => [{ rule, detail }];

type Told = { readonly key: string; readonly what: Make; readonly body: string };
type ChangeEntry = Entry & { readonly what: Change };

const isChange = (entry: Entry): entry is ChangeEntry => entry.what.kind === 'change' || entry.what.kind === 'remove';

/** By name: whoever was answered that it was made. */
function madeOf(history: History): Map<string, Told[]> {
  const told = history.flatMap(({ key, what, outcome, body }) =>
    what.kind === 'make' && outcome === 'acknowledged' && body !== null ? [{ key, what, body }] : [],
  );
  return Map.groupBy(told, ({ what, body }) => nameOf({ thing: what.thing, id: (JSON.parse(body) as { id_key: number }).id_key }));
}

function checkMakers(made: ReadonlyMap<string, readonly Told[]>): Violation[] {
  return [...made].flatMap(([name, told]) => {
    const keys = [...new Set(told.map(({ key }) => key))];
    return keys.length === 1 ? [] : wrong('made-once', `${name} was the answer to the keys ${keys.join(' and ')}`);
  });
}

type Life = { readonly name: string; readonly made: Make; readonly changes: readonly ChangeEntry[] };

/** Each change was asked for on the condition of a version, so that at most one can have made the next. */
function checkThing({ name, made, changes }: Life, now: Stored | undefined): Violation[] {
  const done = changes.filter(({ outcome }) => outcome === 'acknowledged');
  const twice = [...Map.groupBy(done, ({ what }) => what.version)].filter(([, same]) => same.length > 1);
  const found = twice.flatMap(([version]) => wrong('no-lost-update', `${name} was changed twice on the condition of version ${version}`));
  const mayBeGone = changes.some(({ what, outcome }) => what.kind === 'remove' && outcome !== 'refused');
  if (now === undefined) return mayBeGone ? found : [...found, ...wrong('made-once', `${name} was made and is not there`)];
  const isOver = done.some(({ what }) => what.kind === 'remove');
  if (isOver) return [...found, ...wrong('no-lost-update', `${name} was taken out and is there`)];
  const lost = done.find(({ what }) => what.version >= now.version);
  if (lost)
    return [...found, ...wrong('no-lost-update', `${name} is at version ${now.version}, and ${lost.key} raised ${lost.what.version}`)];
  const contents = contentsAt(now.version, made, changes);
  return contents.includes(now.content)
    ? found
    : [
        ...found,
        ...wrong(
          'no-lost-update',
          `${name} holds "${now.content}" at version ${now.version}, asked for was ${contents.join(' or ') || 'nothing'}`,
        ),
      ];
}

/** What may stand there at a version: of those that asked for it the one that was answered, or else each that is open. */
function contentsAt(version: number, made: Make, changes: readonly ChangeEntry[]): string[] {
  if (version === 1) return [made.content];
  const asked = changes.flatMap(({ what, outcome }) =>
    what.kind === 'change' && what.version === version - 1 && outcome !== 'refused' ? [{ content: what.content, outcome }] : [],
  );
  const sure = asked.filter(({ outcome }) => outcome === 'acknowledged');
  return (sure.length > 0 ? sure : asked).map(({ content }) => content);
}

function checkBill({ bill, billedCents, order, isCanceled, totalCents, linesCents }: Aftermath['bills'][number]): Violation[] {
  const due = order === null || isCanceled ? 0 : linesCents;
  const found = billedCents === due ? [] : wrong('bills-settled', `bill ${bill} says ${billedCents} cents, its order makes ${due}`);
  return order === null || totalCents === linesCents
    ? found
    : [...found, ...wrong('bills-settled', `order ${order} says ${totalCents} cents, its lines make ${linesCents}`)];
}

/** As the shop gives them: no two the same, and each as it was answered. */
function checkNumbers(made: ReadonlyMap<string, readonly Told[]>, bills: Aftermath['bills']): Violation[] {
  const holder = new Map<string, number>();
  return bills.flatMap(({ bill, number }) => {
    const [told] = made.get(nameOf({ thing: 'bill', id: bill })) ?? [];
    const answered = told && (JSON.parse(told.body) as { bill_number: string }).bill_number;
    const other = holder.get(number);
    holder.set(number, bill);
    if (other !== undefined) return wrong('bill-numbers', `bills ${other} and ${bill} have the number ${number}`);
    if (!/^A-\d{4}-\d+$/.test(number)) return wrong('bill-numbers', `bill ${bill} has the number ${number}, which the shop does not give`);
    return answered === undefined || answered === number
      ? []
      : wrong('bill-numbers', `bill ${bill} was answered as ${answered} and is ${number}`);
  });
}
