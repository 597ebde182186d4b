/** The shop's own books about one run's buyers, as they stand when all is quiet. Money in cents. */
export type StoredBooks = {
  readonly orders: readonly StoredOrder[];
  /** Null where the database could not be read: the API itself does not show it. */
  readonly ledger: Ledger | null;
};

export type Ledger = {
  /** Of the buyers' orders. */
  readonly movements: readonly Movement[];
  /** Sales since the run began that name no order or no line. */
  readonly strayMovements: readonly Movement[];
  readonly products: readonly StoredProduct[];
};

export type StoredOrder = {
  readonly id: number;
  readonly client: number;
  readonly totalCents: number;
  readonly deliveryMethod: number;
  readonly status: number;
  readonly version: number;
  /** In order of ids, which is the order in which they were asked for. */
  readonly lines: readonly StoredLine[];
};

export type StoredLine = {
  readonly id: number;
  readonly product: number;
  readonly quantity: number;
  readonly priceCents: number;
  readonly name: string;
};

export type Movement = {
  readonly id: number;
  readonly product: number;
  /** Negative when pieces left the shop. */
  readonly quantity: number;
  readonly reason: string;
  readonly order: number | null;
  readonly line: number | null;
};

export type StoredProduct = {
  readonly id: number;
  readonly stock: number;
  /** Sum of all its movements. */
  readonly moved: number;
  /** Sum of movements other than sales since the run began: counted anew, returned. */
  readonly restocked: number;
  /** How many of these there were. */
  readonly restocks: number;
};
