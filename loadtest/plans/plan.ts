import type { VisitWeights } from '../scenarios/shop/journey.ts';
import type { Thresholds } from '../judge/thresholds.ts';

/** One load test as a value: what is done, how much of it, and what must hold. */
export type Plan = {
  readonly name: string;
  /** One line for --help. */
  readonly summary: string;
  readonly users: number;
  /** Least and most pause between a user's requests. */
  readonly thinkMs: readonly [number, number];
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** A request without a complete answer after that long has failed. Longer than the API's own DB_POOL_TIMEOUT. */
  readonly timeoutMs: number;
  /** How long the client is first measured against a server that does nothing; half as long the machine without load. */
  readonly calibrationMs: number;
  readonly weights: VisitWeights;
  readonly thresholds: Thresholds;
};
