import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import * as z from 'zod';
import { messageOf } from '#lib/errors.ts';
import { MonitorFaultError, probeKind, type Probe, type ProbeReport } from './probe.ts';
import type { Sentence } from '../words/sentence.ts';

export type DnsTarget = {
  readonly host: string;
  readonly type: 'A' | 'AAAA';
  /** The addresses the name must lead to; undefined: any. */
  readonly addresses?: readonly string[] | undefined;
  /** Name server that is asked, as `192.0.2.53` or `192.0.2.53:5353`; undefined: those of this machine. */
  readonly server?: string | undefined;
};

const serverForm = /^(?:\[[\da-fA-F:]+\]|[\d.]+)(?::\d{1,5})?$|^[\da-fA-F:]+$/;

export const dnsKind = probeKind({
  kind: 'dns',
  schema: {
    host: z
      .string()
      .regex(/^(?=.{1,253}$)[\w-]{1,63}(?:\.[\w-]{1,63})*\.?$/, 'must be a host name, such as shop.example')
      .describe('The name that must resolve.'),
    type: z.enum(['A', 'AAAA'], 'must be A or AAAA').default('A').describe('What is asked for: IPv4 or IPv6 addresses.'),
    addresses: z
      .array(z.string().refine((text) => isIP(text) !== 0, 'must be an IP address'))
      .min(1)
      .optional()
      .describe('Where it must lead: any other address has failed, one that is missing degrades; unset: any will do.'),
    server: z
      .string()
      .regex(serverForm, 'must be an IP address, with or without a port, such as 192.0.2.53:5353')
      .optional()
      .describe('Name server that is asked; unset: those of this machine.'),
  },
  create: (fields) => dnsProbe(fields),
  describe: ({ host, type, server }) => `${type} of ${host}${server === undefined ? '' : ` by ${server}`}`,
});

/** A try each this long, so that a datagram lost on the way is no outage of its own. */
const tryTimeoutMs = 900;

/** A probe that asks name service itself, past the caches and files of this machine. */
function dnsProbe(target: DnsTarget): Probe {
  return async (signal) => {
    const resolver = new Resolver({ timeout: tryTimeoutMs, tries: 3 });
    const cancel = (): void => resolver.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      if (target.server !== undefined) resolver.setServers([target.server]);
      return judgeAnswer(target, await (target.type === 'A' ? resolver.resolve4(target.host) : resolver.resolve6(target.host)));
    } catch (err) {
      return judgeRefusal(target, err);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  };
}

const nextStep = ({ host, type, server }: DnsTarget): Sentence => ({ code: 'traceName', host, type, server });

/** What the addresses of an answer say about the target. Pure. */
export function judgeAnswer(target: DnsTarget, found: readonly string[]): ProbeReport {
  const wanted = target.addresses?.map(plain);
  const given = found.map(plain);
  const foreign = wanted ? found.filter((address) => !wanted.includes(plain(address))) : [];
  const missing = target.addresses?.filter((address) => !given.includes(plain(address))) ?? [];
  const detail = `${target.host} leads to ${shown(found)}`;
  if (foreign.length > 0) {
    const cause: Sentence = { code: 'nameForeign', host: target.host };
    return { outcome: 'failed', cause, detail: `${detail}; ${shown(foreign)} must not be among them`, nextStep: nextStep(target) };
  }
  if (missing.length > 0) return { outcome: 'degraded', detail: `${detail}; ${shown(missing)} is missing`, nextStep: nextStep(target) };
  return { outcome: 'ok', detail };
}

/** One way to write each address: `2001:DB8:0::1` is `2001:db8::1`. */
const plain = (address: string): string => (isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address);

const mostShown = 4;

const shown = (addresses: readonly string[]): string =>
  addresses.length <= mostShown
    ? addresses.join(', ')
    : `${addresses.slice(0, mostShown).join(', ')} and ${addresses.length - mostShown} more`;

/** What each refusal means, by the code of the resolver. @see https://nodejs.org/api/dns.html#error-codes */
const meanings: Readonly<Record<string, string>> = {
  ENOTFOUND: 'does not exist',
  ENODATA: 'has no such address',
  ESERVFAIL: 'cannot be resolved: its name servers fail',
  EREFUSED: 'is refused an answer',
  EBADRESP: 'gets an answer that makes no sense',
  EFORMERR: 'gets an answer that makes no sense',
};

/**
 * What a refusal says. That this machine's own name servers are silent is a fault of the monitor; of a server that is named it is
 * what is watched. Pure.
 * @throws {MonitorFaultError}
 */
export function judgeRefusal(target: DnsTarget, err: unknown): ProbeReport {
  const code = (err as NodeJS.ErrnoException).code ?? '';
  const meaning = meanings[code];
  if (meaning === undefined && target.server === undefined) {
    throw new MonitorFaultError(`name service of this machine does not answer for ${target.host}: ${messageOf(err)}`, { cause: err });
  }
  const detail =
    meaning === undefined
      ? `${target.server} does not answer for ${target.host} (${code || messageOf(err)})`
      : `${target.host} ${meaning} (${code})`;
  const cause: Sentence =
    meaning === undefined ? { code: 'nameServerSilent', server: target.server } : { code: 'nameWithoutAddress', host: target.host };
  return { outcome: 'failed', cause, detail, nextStep: nextStep(target) };
}
