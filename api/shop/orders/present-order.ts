import { decimalOf } from '../money.ts';

export type OrderRow = {
  readonly id_key: number;
  readonly date: Date;
  readonly total_cents: number;
  readonly delivery_method: number;
  readonly status: number;
  readonly client_id: number;
  readonly version: number;
};

export type OrderLineRow = {
  readonly id_key: number;
  readonly product_id: number;
  readonly product_name: string;
  readonly quantity: number;
  readonly price_cents: number;
};

/** The public JSON of an order without its lines, as it stands in lists. */
export function presentOrder(order: OrderRow): string {
  return `{${orderMembers(order)}}`;
}

/** The public JSON of an order with its lines, each with the price paid for a piece. */
export function presentOrderWithLines(order: OrderRow, lines: readonly OrderLineRow[]): string {
  return `{${orderMembers(order)},"lines":[${lines.map(presentLine).join(',')}]}`;
}

function orderMembers({ id_key, date, total_cents, delivery_method, status, client_id, version }: OrderRow): string {
  return `"id_key":${id_key},"date":"${date.toISOString()}","total":${decimalOf(total_cents)},"delivery_method":${delivery_method},"status":${status},"client_id":${client_id},"version":${version}`;
}

function presentLine({ id_key, product_id, product_name, quantity, price_cents }: OrderLineRow): string {
  return `{"id_key":${id_key},"product_id":${product_id},"product_name":${JSON.stringify(product_name)},"quantity":${quantity},"price":${decimalOf(price_cents)}}`;
}
