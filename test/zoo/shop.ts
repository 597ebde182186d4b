import type { Outgoing } from './tampering.ts';
import { oneIn, onAnswer } from './tampering.ts';

/** The shop's words that defects are made of. */

export type Product = { id_key: number; name: string; description: string; price: number; stock: number; category_id: number | null };
type Line = { product_name: string; quantity: number; price: number };
export type Order = { id_key: number; client_id: number; status: number; total: number; lines: Line[] };

export const oneProduct = /^GET \/api\/v1\/products\/\d+$/;
export const productPages = /^GET \/api\/v1\/products\?/;
export const filters = /^GET \/api\/v1\/products\/filter/;
export const orderLists = /^GET \/api\/v1\/orders\?/;
export const placed = /^POST \/api\/v1\/orders$/;

export const isOf = (pattern: RegExp, { method, path }: Pick<Outgoing, 'method' | 'path'>): boolean => pattern.test(`${method} ${path}`);
export const isReplay = ({ headers }: Outgoing): boolean => headers.some(([name]) => name.toLowerCase() === 'idempotency-replayed');
export const aCentMore = (product: Product): Product => ({ ...product, price: (Math.round(product.price * 100) + 1) / 100 });

/** Runs `change` for one in `every` answers to requests that match. */
export function onMatching(pattern: RegExp, every: number, change: (answer: Outgoing) => unknown): void {
  const isTurn = oneIn(every);
  onAnswer((answer) => (isOf(pattern, answer) && isTurn() ? change(answer) : undefined));
}

let triggers = 0;

/** A trigger on every row of a statement; `body` is PL/pgSQL between BEGIN and RETURN NEW. */
export function trigger(when: string, body: string): string {
  const name = `zoo_${(triggers += 1)}`;
  return `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} RETURN NEW; END $$;
    CREATE TRIGGER ${name} ${when} FOR EACH ROW EXECUTE FUNCTION ${name}();`;
}
