import type { Witness } from '../../measurement/witness.ts';
import type { Excuse, Rule } from './faults.ts';
import type { OrderAttempt } from './history.ts';

/** What the buyers write down for the judges, as events of the measurement. */
export type ShopEvent =
  | ({ readonly kind: 'order' } & OrderAttempt)
  /** An answer that is wrong unless somebody else did something meanwhile; only the first of each kind. */
  | { readonly kind: 'doubt'; readonly rule: Rule; readonly unless: Excuse; readonly witness: Witness }
  /** How many of a kind there were in one process. */
  | { readonly kind: 'doubts'; readonly rule: Rule; readonly unless: Excuse; readonly count: number };
