import { messageOf } from '#lib/errors.ts';
import type { Logger } from '#lib/logger.ts';
import { backoffDelayMs, type Backoff } from '#lib/retry.ts';

/** One answered request, as a span of kind server. */
export type Span = {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  /** Unix time. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly isError: boolean;
  readonly attributes: Readonly<Record<string, string | number>>;
};

export type SpanExporter = {
  /** Never waits, never throws; what does not fit is dropped. */
  readonly add: (span: Span) => void;
  readonly counts: () => { readonly exported: number; readonly dropped: number };
  /** Sends what is left, for a second at most. */
  readonly stop: () => Promise<void>;
};

export type OtlpOptions = {
  /** Base of the collector, such as http://127.0.0.1:4318; spans go to `/v1/traces` below it. */
  readonly endpoint: string;
  /** As `api-key=…`: secret. */
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly serviceVersion: string;
  readonly logger: Logger;
  readonly sendEveryMs?: number;
};

/** Spans that wait; spans of one request to the collector, few enough that writing them holds up nobody; its longest time. */
const limits = { waiting: 2_048, batch: 256, withinMs: 10_000 } as const;
const stopWithinMs = 1_000;
const retries: Backoff = { firstDelayMs: 1_000, maxDelayMs: 60_000, jitter: 0.2 };
/** Of the collector: it may take the same later. @see https://opentelemetry.io/docs/specs/otlp/#failures-1 */
const passing: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/**
 * Sends spans to a collector by OTLP over HTTP, as JSON, a batch at a time. A collector that refuses, hangs or is gone costs
 * spans, beyond those that may wait, and nothing else.
 */
export function createOtlpExporter(options: OtlpOptions): SpanExporter {
  return new OtlpExporter(options);
}

class OtlpExporter implements SpanExporter {
  readonly #options: OtlpOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #cut = new AbortController();
  readonly #waiting: Span[] = [];
  #sending: Promise<void> | undefined;
  #failures = 0;
  #notBeforeMs = 0;
  #exported = 0;
  #dropped = 0;

  constructor(options: OtlpOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#send(), options.sendEveryMs ?? 2_000).unref();
  }

  readonly add = (span: Span): void => {
    if (this.#waiting.length >= limits.waiting) this.#dropped += 1;
    else if (this.#waiting.push(span) >= limits.batch) this.#send();
  };

  readonly counts = () => ({ exported: this.#exported, dropped: this.#dropped });

  readonly stop = async (): Promise<void> => {
    clearInterval(this.#timer);
    const cut = setTimeout(() => this.#cut.abort(), stopWithinMs);
    await this.#sending;
    this.#notBeforeMs = 0;
    this.#send();
    await this.#sending;
    clearTimeout(cut);
    this.#dropped += this.#waiting.length;
    this.#waiting.length = 0;
  };

  #send(): void {
    if (this.#sending || this.#waiting.length === 0 || performance.now() < this.#notBeforeMs) return;
    this.#sending = this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, limits.batch);
      const outcome = await this.#post(batch);
      if (outcome === 'passing') return;
      this.#waiting.splice(0, batch.length);
      if (outcome === 'taken') this.#exported += batch.length;
      else this.#dropped += batch.length;
    }
  }

  /** `passing`: it may be taken later. */
  async #post(batch: readonly Span[]): Promise<'taken' | 'refused' | 'passing'> {
    const { endpoint, headers } = this.#options;
    try {
      const response = await fetch(`${endpoint.replace(/\/$/, '')}/v1/traces`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(this.#document(batch)),
        redirect: 'error',
        signal: AbortSignal.any([this.#cut.signal, AbortSignal.timeout(limits.withinMs)]),
      });
      await response.body?.cancel();
      if (response.ok) return this.#succeeded();
      return this.#failed(`status ${response.status}`, passing.has(response.status) ? 'passing' : 'refused');
    } catch (err) {
      return this.#failed(messageOf(err), 'passing');
    }
  }

  #succeeded(): 'taken' {
    this.#failures = 0;
    return 'taken';
  }

  #failed(detail: string, outcome: 'refused' | 'passing'): 'refused' | 'passing' {
    this.#failures += 1;
    this.#notBeforeMs = performance.now() + backoffDelayMs(this.#failures, retries, Math.random());
    // Once until it succeeds again: what is lost meanwhile is counted.
    if (this.#failures === 1) this.#options.logger.warn({ detail }, 'traces cannot be sent to OTEL_EXPORTER_OTLP_ENDPOINT');
    return outcome;
  }

  /** @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding */
  #document(batch: readonly Span[]): object {
    const { serviceName, serviceVersion } = this.#options;
    const resource = { 'service.name': serviceName, 'service.version': serviceVersion, 'process.pid': process.pid };
    const spans = batch.map(({ name, traceId, spanId, parentId, startMs, durationMs, isError, attributes }) => ({
      traceId,
      spanId,
      ...(parentId !== undefined && { parentSpanId: parentId }),
      name,
      kind: 2,
      startTimeUnixNano: nanoseconds(startMs),
      endTimeUnixNano: nanoseconds(startMs + durationMs),
      attributes: keyValues(attributes),
      status: isError ? { code: 2 } : {},
    }));
    return { resourceSpans: [{ resource: { attributes: keyValues(resource) }, scopeSpans: [{ scope: { name: 'atalaya' }, spans }] }] };
  }
}

/** As text: they are more than a number holds. */
const nanoseconds = (ms: number): string => `${Math.round(ms * 1_000)}000`;

const keyValues = (values: Readonly<Record<string, string | number>>): object[] =>
  Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value },
  }));
