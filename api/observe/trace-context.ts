import { randomBytes } from 'node:crypto';

/**
 * Which trace a request belongs to.
 * @see https://www.w3.org/TR/trace-context/
 */
export type Trace = {
  /** 32 and 16 hexadecimal digits. */
  readonly traceId: string;
  readonly spanId: string;
  /** Span of the caller, whose trace this goes on with; undefined where it begins a new one. */
  readonly parentId: string | undefined;
  /** Whether it is sent to the collector of traces. */
  readonly isSampled: boolean;
};

/** The trace of a request by its `traceparent` header. */
export type TraceOf = (traceparent: string | undefined) => Trace;

/**
 * Goes on with the trace of a caller that sends a valid `traceparent`, sampled as the caller decided, and begins one for every
 * other request.
 * @param sampleRatio share of the traces begun here that are sampled, 0 to 1; undefined: none at all, where nothing collects them
 */
export function createTraceOf(sampleRatio: number | undefined, random: () => number = Math.random): TraceOf {
  return (traceparent) => {
    const parent = traceparent === undefined ? undefined : parseTraceparent(traceparent);
    if (parent) {
      const isSampled = sampleRatio !== undefined && parent.isSampled;
      return { traceId: parent.traceId, spanId: randomHex(16), parentId: parent.spanId, isSampled };
    }
    return {
      traceId: randomHex(32),
      spanId: randomHex(16),
      parentId: undefined,
      isSampled: sampleRatio !== undefined && random() < sampleRatio,
    };
  };
}

type Parent = { readonly traceId: string; readonly spanId: string; readonly isSampled: boolean };

/** What a `traceparent` says; undefined for one that is not valid, which then counts as none. Pure. */
export function parseTraceparent(header: string): Parent | undefined {
  const [, version, traceId = '', spanId = '', flags = '', rest] =
    /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/.exec(header) ?? [];
  // A later version may say more; this one says no more, and ff is none.
  if (version === undefined || version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** In the form of `traceparent`, for the answer. */
export const traceText = ({ traceId, spanId, isSampled }: Trace): string => `00-${traceId}-${spanId}-0${isSampled ? 1 : 0}`;

const storeBytes = 3_072;
let store = '';
let used = 0;

/** Drawn from a store, since asking the system for each would cost more than the rest of it. */
function randomHex(digits: number): string {
  if (used + digits > store.length) {
    store = randomBytes(storeBytes).toString('hex');
    used = 0;
  }
  used += digits;
  return store.slice(used - digits, used);
}
