import type { LogSettings } from '#lib/settings.ts';

/** What is told of one request. Neither query nor body nor credentials: they may hold secrets. */
export type AccessEntry = {
  readonly requestId: string;
  /** Undefined for what never became a request. */
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Pattern of the route, such as /products/:id; undefined when none matched. */
  readonly route: string | undefined;
  /** 499: the client went away before the answer. */
  readonly status: number;
  readonly durationMs: number;
  readonly bytes: number;
  readonly ip: string;
  /** As in `principalKey`; undefined for anonymous. */
  readonly principal: string | undefined;
};

/** Makes the formatter of access lines, which runs for every request: plain concatenation, and one time stamp a millisecond. */
export function accessLine(format: LogSettings['LOG_FORMAT'], worker: number): (entry: AccessEntry) => string {
  const timeStamp = createTimeStamp();
  const origin = `"program":"api","pid":${process.pid},"worker":${worker}`;
  if (format === 'json') {
    return (entry) =>
      `{"level":"info","time":"${timeStamp()}",${origin},"msg":"request","request_id":"${entry.requestId}",` +
      `${traced(entry)}"method":"${entry.method}","path":${quoted(entry.path)}${optional('route', entry.route)},"status":${entry.status},` +
      `"duration_ms":${entry.durationMs.toFixed(2)},"bytes":${entry.bytes},"ip":"${entry.ip}"${optional('principal', entry.principal)}}\n`;
  }
  return (entry) =>
    `${timeStamp()} INFO  api request request_id=${entry.requestId} trace_id=${entry.traceId ?? '-'} span_id=${entry.spanId ?? '-'} method=${entry.method} path=${quoted(entry.path)} ` +
    `status=${entry.status} duration_ms=${entry.durationMs.toFixed(2)} bytes=${entry.bytes} ip=${entry.ip} ` +
    `principal=${entry.principal ?? '-'} worker=${worker}\n`;
}

const traced = ({ traceId, spanId }: AccessEntry): string =>
  traceId === undefined ? '' : `"trace_id":"${traceId}","span_id":"${spanId}",`;

const optional = (name: string, value: string | undefined): string => (value === undefined ? '' : `,"${name}":${quoted(value)}`);

/** JSON.stringify only where it matters: nearly every path needs no escape. */
const quoted = (text: string): string => (/^[\w/.:~%@+-]*$/.test(text) ? `"${text}"` : JSON.stringify(text));

/** The time now, written once for each millisecond. */
export function createTimeStamp(): () => string {
  let lastMs = 0;
  let text = '';
  return () => {
    const ms = Date.now();
    if (ms !== lastMs) {
      lastMs = ms;
      text = new Date(ms).toISOString();
    }
    return text;
  };
}
