import { certificateKind } from './certificate.ts';
import { diskKind } from './disk.ts';
import { dnsKind } from './dns.ts';
import { heartbeatKind } from './heartbeat.ts';
import { httpKind } from './http.ts';
import { postgresKind } from './postgres.ts';
import { logKind } from './log.ts';
import type { ProbeKind } from './probe.ts';
import { redisKind } from './redis.ts';

/** Every kind of probe. The configuration's schema and the targets are made from this list. */
export const probeKinds: readonly ProbeKind[] = [
  httpKind,
  postgresKind,
  redisKind,
  certificateKind,
  diskKind,
  dnsKind,
  heartbeatKind,
  logKind,
];
