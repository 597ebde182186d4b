import type { Limiter, Quota, Verdict } from './limiter.ts';

export type BesideOptions = {
  /** Decides, for all machines. */
  readonly decider: Limiter;
  /** Counts on this machine what the decider is asked. */
  readonly machine: Limiter;
  /** Where that is counted, to be told what was not let in after all. */
  readonly book: Limiter;
};

/**
 * A limiter whose decisions stand in a book of this machine before they are asked for, so that whoever decides in the decider's place
 * knows of each request that was let in. Where the decider may have missed some, as one that was restarted has, the book refuses
 * too: whatever becomes of the decider, no window lets in more than the limit from one machine.
 * @throws {LimiterUnavailableError} of the decider
 */
export function createBesideLimiter({ decider, machine, book }: BesideOptions): Limiter {
  return {
    take: async (quotas) => {
      const noted = await machine.take(quotas.map((quota) => ({ ...quota, beside: 'counted' as const })));
      if (!noted.every(isAllowed)) return noted;
      let decided: readonly Verdict[] = [];
      try {
        decided = await decider.take(quotas);
        if (!decided.every(isAllowed)) return decided;
        return decided.map((verdict, index) => told(verdict, noted[index] as Verdict, quotas[index] as Quota));
      } finally {
        // Nobody waits for it: in the book it stands before what is asked next.
        if (decided.length === 0 || !decided.every(isAllowed)) book.take(quotas.map(givenBack(noted))).catch(() => {});
      }
    },
  };
}

const isAllowed = ({ allowed }: Verdict): boolean => allowed;

/** What is left by the book, where it has counted in earnest: the two count in different orders, and a mixture would say the same twice. */
const told = (decided: Verdict, noted: Verdict, { limit }: Quota): Verdict => (noted.remaining < limit ? noted : decided);

const givenBack =
  (noted: readonly Verdict[]) =>
  (quota: Quota, index: number): Quota => ({ ...quota, beside: { givenBackMs: noted[index]?.countedAtMs ?? 0 } });
