import { showCount, showShare } from '#lib/show.ts';
import { broken, met, notChecked, type Check, type Judge } from '../../judge/check.ts';
import { failuresOf } from '../../judge/limits.ts';
import type { Measurement } from '../../measurement/measurement.ts';
import { maxWitnesses, type Witness } from '../../measurement/witness.ts';
import type { ShopBooks } from './books.ts';
import { checkBooks } from './check-books.ts';
import { rules, type Excuse, type Rule } from './faults.ts';
import { claimsOf, countRaces, type Claim, type OrderAttempt, type ShopEvent } from './history.ts';
import type { Goods } from './shelf.ts';
import { bookRules, type Anomaly, type BookRule } from './stored-books.ts';

/** What must hold after every run in the shop, however fast or slow it was: every answer right, nothing lost, nothing double. */
export const shopJudges: readonly Judge[] = [judgeContent, judgeBooks, judgeStockSufficient];

const eventsOf = ({ events }: Measurement): readonly ShopEvent[] => events as readonly ShopEvent[];

const attemptsOf = (measurement: Measurement): OrderAttempt[] => eventsOf(measurement).filter((event) => event.kind === 'order');

/** Keys by what became of them, and how many attempts met another at the same product. */
export function ordersOf(measurement: Measurement): Readonly<Record<Claim['outcome'] | 'raced', number>> {
  const attempts = attemptsOf(measurement);
  const counts = { acknowledged: 0, refused: 0, unknown: 0, raced: countRaces(attempts) };
  for (const { outcome } of claimsOf(attempts)) counts[outcome] += 1;
  return counts;
}

type Found = { readonly count: number; readonly witnesses: readonly Witness[] };

/** An answer that breaks HTTP never came to anybody who knows the rules. */
const ruleOf = (fault: string): Rule => (Object.hasOwn(rules, fault) ? (fault as Rule) : 'answer-complete');

/** One wrong answer is a defect: there is no budget for them. */
function judgeContent(measurement: Measurement): Check[] {
  const failures = failuresOf(measurement).filter(({ outcome }) => outcome === 'wrong-answer');
  const doubts = doubtsIn(measurement);
  return (Object.keys(rules) as Rule[]).map((rule) => {
    const found = [...failures.filter(({ fault }) => ruleOf(fault) === rule), ...(doubts.get(rule) ?? [])];
    return checkOf({ id: rule, kind: 'content', title: rules[rule] }, found);
  });
}

function checkOf(head: Pick<Check, 'id' | 'kind' | 'title'>, found: readonly Found[]): Check {
  const count = found.reduce((sum, one) => sum + one.count, 0);
  if (count === 0) return met(head, '0', '0');
  const witnesses = found.flatMap((one) => one.witnesses).slice(0, maxWitnesses);
  const says = witnesses[0]?.says ?? head.title;
  const reason = count === 1 ? says : `${showCount(count)} times, such as: ${says}`;
  return broken({ ...head, witnesses }, showCount(count), '0', reason);
}

/** Doubts that nothing excuses, by the rule they are about. */
function doubtsIn(measurement: Measurement): ReadonlyMap<Rule, Found[]> {
  const events = eventsOf(measurement);
  const isExcused = excuses(measurement);
  const found = new Map<Rule, Found[]>();
  for (const event of events) {
    if (event.kind === 'order' || isExcused(event.unless)) continue;
    const one = event.kind === 'doubt' ? { count: 0, witnesses: [event.witness] } : { count: event.count, witnesses: [] };
    found.set(event.rule, [...(found.get(event.rule) ?? []), one]);
  }
  return found;
}

/** Whether others really did what would make an answer right. */
function excuses(measurement: Measurement): (excuse: Excuse) => boolean {
  const { isShared = false, before, after = null, stored } = (measurement.books as ShopBooks | null) ?? {};
  // Buyers know of the orders of their own process in their own phase.
  const manyMarkets = measurement.phases.reduce((sum, { processes }) => sum + processes, 0) > 1;
  const edited = before && after ? editedIn(before, after) : undefined;
  return (excuse) => {
    if (excuse.change === 'bought') return isShared || manyMarkets;
    if (!isShared) return false;
    if (excuse.change === 'edited')
      return edited !== undefined && (excuse.product === undefined ? edited.size > 0 : edited.has(excuse.product));
    if (excuse.change === 'handled') return stored?.orders.find(({ id }) => id === excuse.order)?.version !== 1;
    return (stored?.ledger?.products.find(({ id }) => id === excuse.product)?.restocks ?? 1) > 0;
  };
}

/** Ids of products that were changed, added or removed; 0 stands for the categories. */
function editedIn(before: Goods, after: Goods): ReadonlySet<number> {
  const [was, is] = [looksOf(before), looksOf(after)];
  const edited = [...was.keys(), ...is.keys()].filter((id) => was.get(id) !== is.get(id));
  return new Set(JSON.stringify(before.categories) === JSON.stringify(after.categories) ? edited : [...edited, 0]);
}

const looksOf = ({ products }: Goods): Map<number, string> =>
  new Map(
    products.map(({ id, name, description, priceCents, categoryId }) => [id, JSON.stringify([name, description, priceCents, categoryId])]),
  );

const aboutStock: ReadonlySet<BookRule> = new Set(['stock-moved', 'returned-once', 'stock-ledger', 'stock-conserved', 'no-oversell']);

function judgeBooks(measurement: Measurement): Check[] {
  const books = measurement.books as ShopBooks | null;
  const why = books === null ? 'the run ended before the books were read' : books.notes.join('; ') || 'they could not be read';
  const anomalies = books?.stored ? anomaliesIn(measurement, books, books.stored) : [];
  return (Object.keys(bookRules) as BookRule[]).map((rule) => {
    const head = { id: rule, kind: 'invariant', title: bookRules[rule] } as const;
    const isReadable = books?.stored && (books.stored.ledger !== null || !aboutStock.has(rule));
    if (!isReadable) return notChecked(head, why, '0');
    if (rule === 'stock-conserved' && books.isShared) return notChecked(head, 'others use the shop too', '0');
    const found = anomalies.filter((anomaly) => anomaly.rule === rule).map((anomaly) => ({ count: 1, witnesses: [witnessOf(anomaly)] }));
    return checkOf(head, found);
  });
}

function anomaliesIn(
  measurement: Measurement,
  { before, after, isShared }: ShopBooks,
  stored: NonNullable<ShopBooks['stored']>,
): Anomaly[] {
  const claims = claimsOf(attemptsOf(measurement));
  return checkBooks({ claims, stored, products: before.products, productsAfter: (after ?? before).products, isShared });
}

const witnessOf = ({ detail, order, key, product, requestId }: Anomaly): Witness => ({
  says: detail,
  about: { ...(order !== undefined && { order }), ...(key !== undefined && { key }), ...(product !== undefined && { product }) },
  ...(requestId !== undefined && { requestId }),
});

/** With more refused for want of stock, a run measured an empty shop. */
const maxRefusedShare = 0.2;

function judgeStockSufficient(measurement: Measurement): Check[] {
  const head = { id: 'stock-sufficient', kind: 'innocence', title: 'Orders not refused for want of stock' } as const;
  const { acknowledged, refused } = ordersOf(measurement);
  const total = acknowledged + refused;
  const share = total === 0 ? 0 : refused / total;
  const [measured, limit] = [`${showCount(refused)} of ${showCount(total)} refused`, `≤ ${showShare(maxRefusedShare)}`];
  if (share <= maxRefusedShare) return [met(head, measured, limit)];
  return [broken(head, measured, limit, 'most of the stock was gone, so that hardly an order was really placed')];
}
