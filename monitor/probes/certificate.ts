import { isIP } from 'node:net';
import type { PeerCertificate } from 'node:tls';
import * as z from 'zod';
import { messageOf } from '#lib/errors.ts';
import { answerWith } from './connect.ts';
import { duration, serverName, tlsMode } from './fields.ts';
import { MonitorFaultError, probeKind, type Probe, type ProbeReport, type ResolveHost } from './probe.ts';
import type { Sentence } from '../words/sentence.ts';

const dayMs = 86_400_000;
const longestMs = 3650 * dayMs;
const nextStep: Sentence = { code: 'seeRenewal' };

export type CertificateTarget = {
  readonly address: { readonly host: string; readonly port: number };
  /** The name asked for; default: the host of `address`. */
  readonly serverName?: string | undefined;
  readonly tlsMode: z.output<ReturnType<typeof tlsMode>>;
  /** Less time left than this degrades the target, or fails it. */
  readonly warnBelow: number;
  readonly failBelow: number;
};

export const certificateKind = probeKind({
  kind: 'certificate',
  schema: {
    address: z
      .string()
      .regex(/^[^\s/]+:\d{1,5}$/, 'must be a host and a port, such as shop.example:443')
      .transform((text) => ({ host: text.slice(0, text.lastIndexOf(':')), port: Number(text.slice(text.lastIndexOf(':') + 1)) }))
      .describe('Host and port of a TLS server.'),
    serverName: serverName().optional().describe('Name asked for in the handshake; default: the host of address.'),
    tlsMode: tlsMode().default('acme').describe('self-signed: nobody need vouch for it; names and dates still count.'),
    warnBelow: duration(0, longestMs).prefault('21d').describe('Time left below which the target is degraded.'),
    failBelow: duration(0, longestMs).prefault('7d').describe('Time left below which it has failed.'),
  },
  create: (fields, { resolveHost }) => certificateProbe(fields, resolveHost, Date.now),
  describe: ({ address, serverName: name }) => `certificate of ${name ?? address.host} at ${address.host}:${address.port}`,
});

/** What a handshake showed. */
export type ShownCertificate = {
  /** Ms of the epoch. */
  readonly validTo: number;
  /** Why it does not speak for the name asked for. */
  readonly nameProblem: string | undefined;
  /** Why this machine's authorities do not vouch for it. */
  readonly trustProblem: string | undefined;
};

/** A probe over the certificate a TLS server shows. */
function certificateProbe(target: CertificateTarget, resolveHost: ResolveHost, now: () => number): Probe {
  return async (signal) => {
    try {
      return judgeCertificate(target, await shakeHands(target, resolveHost, signal), now());
    } catch (err) {
      if (err instanceof MonitorFaultError) throw err;
      return {
        outcome: 'failed',
        detail: `${target.address.host}:${target.address.port} shows no certificate: ${messageOf(err)}`,
        nextStep,
      };
    }
  };
}

/** What the certificate says about the target. Pure. */
export function judgeCertificate(
  target: Pick<CertificateTarget, 'tlsMode' | 'warnBelow' | 'failBelow'>,
  shown: ShownCertificate,
  now: number,
): ProbeReport {
  const leftMs = shown.validTo - now;
  const end = new Date(shown.validTo).toISOString().slice(0, 10);
  const left = leftMs <= 0 ? `has ended on ${end}` : `ends in ${Math.floor(leftMs / dayMs)} d, on ${end}`;
  const problems = [shown.nameProblem, target.tlsMode === 'acme' && leftMs > 0 ? shown.trustProblem : undefined].filter(Boolean);
  const detail = [`the certificate ${left}`, ...problems].join('; ');
  const isEnding = leftMs < target.warnBelow || leftMs <= 0;
  const cause: Sentence = isEnding ? { code: leftMs <= 0 ? 'certificateOver' : 'certificateEnds', end } : { code: 'certificateUnfit' };
  if (leftMs < target.failBelow || leftMs <= 0 || problems.length > 0) return { outcome: 'failed', cause, detail, nextStep };
  return leftMs < target.warnBelow ? { outcome: 'degraded', cause, detail, nextStep } : { outcome: 'ok', detail };
}

async function shakeHands(target: CertificateTarget, resolveHost: ResolveHost, signal: AbortSignal): Promise<ShownCertificate> {
  const { host, port } = target.address;
  const name = target.serverName ?? host;
  const lookup = answerWith(await resolveHost(host, signal));
  // Loaded only where it is needed: a monitor at rest keeps its memory.
  const { checkServerIdentity, connect } = await import('node:tls');
  return new Promise((resolve, reject) => {
    // Whatever it shows is looked at, and judged above.
    const socket = connect({ host, port, lookup, rejectUnauthorized: false, ...(isIP(name) === 0 ? { servername: name } : {}) }, () => {
      const certificate: PeerCertificate = socket.getPeerCertificate();
      resolve({
        validTo: Date.parse(certificate.valid_to),
        nameProblem: checkServerIdentity(name, certificate)?.message,
        trustProblem: socket.authorized ? undefined : `it is not trusted (${String(socket.authorizationError)})`,
      });
      socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('it closed the connection')));
    signal.addEventListener('abort', () => socket.destroy(), { once: true });
  });
}
