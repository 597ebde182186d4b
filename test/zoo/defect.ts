import type { OwnPart } from '#loadtest/conformance/own-shop.ts';
import type { SuiteName } from './suites.ts';

/** One thing seeded into a private copy of the shop, and how the load test must name it. */
export type Defect = {
  readonly name: string;
  readonly kind:
    | 'content'
    | 'money'
    | 'stock'
    | 'orders'
    | 'privacy'
    | 'status'
    | 'headers'
    | 'framing'
    | 'latency'
    | 'worker'
    | 'leak'
    | 'errors'
    | 'size'
    | 'waiting'
    | 'lifetime'
    | 'loss'
    | 'count'
    | 'identity'
    | 'store';
  /** What is broken, in one line. */
  readonly says: string;
  /** On `id: reason` of a broken check: the defect is named when one matches and has a witness. */
  readonly expects: RegExp;
  readonly seed: Seed;
  /** Of `ratelimit`: the part of the suite that is played, since it shows there. */
  readonly part?: OwnPart;
};

/** A defect, and the suite that must find it. */
export type Member = Defect & { readonly foundBy: SuiteName };

/** How the defect gets in. */
export type Seed =
  /** One exact text of the source is replaced; it must stand there exactly once. */
  | { readonly file: string; readonly find: string; readonly put: string }
  /** Run in the database once the stack is up: what a wrong statement would do, however the code is written. */
  | { readonly sql: string }
  /** Run in every API worker before it starts: changes requests, answers, statements and the pool on their way. */
  | { readonly tamper: () => unknown };
