import { messageOf } from '#lib/errors.ts';
import { mayHaveLeft, type DeliveryFailure } from '../channel.ts';

/** What a webhook answered, as far as it came. */
export type Answer = { readonly status: number; readonly retryAfter: string | null };

/**
 * What an answer other than the one that accepts means, or none. 400, 413 and 422 are about the message; any other 3xx and 4xx
 * about the webhook, which people have to mend, but for those that ask to come again. Pure.
 * @param said what else is worth showing of the answer
 */
export function judgeHttpFailure(
  channel: string,
  answer: Answer | undefined,
  { err, said, now }: { readonly err: unknown; readonly said?: string | undefined; readonly now: number },
): DeliveryFailure {
  // Without an answer, or with one of 2xx whose body broke off, it may well have been accepted.
  if (!answer || (answer.status >= 200 && answer.status < 300)) {
    const root = rootOf(err);
    const mayHaveArrived = mayHaveLeft((root as { code?: string }).code);
    return { channel, detail: messageOf(root), scope: 'channel', isLasting: false, mayHaveArrived };
  }
  const { status, retryAfter } = answer;
  return {
    channel,
    detail: `HTTP ${status}${said === undefined ? '' : ` (${said})`}`,
    scope: [400, 413, 422].includes(status) ? 'message' : 'channel',
    isLasting: status < 500 && ![408, 425, 429].includes(status),
    retryAfterMs: parseRetryAfter(retryAfter, now),
  };
}

/** A client may say only that a request failed, and keep the reason below. */
function rootOf(err: unknown): unknown {
  let current = err;
  while (current instanceof Error && current.cause !== undefined) current = current.cause;
  return current;
}

/** Retry-After as ms from now: seconds or an HTTP date. Undefined when absent or unreadable. Pure. */
export function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null || value.trim() === '') return undefined;
  if (/^\d+(\.\d+)?$/.test(value.trim())) return Math.ceil(Number(value) * 1000);
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
