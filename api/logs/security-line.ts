import type { LogSettings } from '#lib/settings.ts';
import { createTimeStamp } from './access-line.ts';

/** What security.log tells, by its name there. docs/security-events.md is made from it. */
export const securityEvents = {
  login_succeeded: 'A session was begun with the right password.',
  login_failed: 'The password was wrong, or there is no such account.',
  login_throttled: 'A limit on logins is used up: that of the address, or that of the account aimed at.',
  session_stolen: 'A refresh token came again that had been changed: its session was ended for thief and owner alike.',
  sessions_ended: 'All sessions of an account were ended by logging out everywhere.',
  password_changed: 'A password was changed by whoever knew it.',
  password_change_refused: 'The current password given with a change was wrong.',
  email_change_refused: 'The current password given with another e-mail address was wrong.',
  email_changed: 'An account has another e-mail address.',
  reset_asked: 'A token for a new password was asked for; whether the account exists shows only when it is used.',
  reset_used: 'A new password was chosen with a token that had been mailed.',
  reset_refused: 'The token for a new password was unknown, expired or used.',
  reset_throttled: 'A limit on tokens for new passwords is used up.',
  account_deleted: 'An account was deleted, with all that was personal of it.',
  operator_acted: 'An operator changed something of an account that is a customer’s.',
  key_made: 'An API key was made.',
  key_revoked: 'An API key was revoked.',
  key_unknown: 'An API key was sent that does not exist.',
  key_expired: 'An API key was sent whose time is over.',
  key_was_revoked: 'An API key was sent that had been revoked.',
  key_scope_refused: 'An API key was sent for what its role or scope does not allow.',
} as const satisfies Readonly<Record<string, string>>;

export type SecurityEvent = keyof typeof securityEvents;

/** Never a secret, and nothing personal but the address it came from. */
export type SecurityEntry = {
  readonly event: SecurityEvent;
  /** Whom it concerns, as in `principalKey`; undefined where nobody is known. */
  readonly account?: string | undefined;
  /** Keyed digest of the e-mail address aimed at: the same for the same address, also where it has no account. */
  readonly aimedAt?: string | undefined;
  /** Who did it, as in `principalKey`; undefined for anonymous. */
  readonly principal?: string | undefined;
  /** The request it happened in, and how that was answered; undefined where there was none. */
  readonly request?:
    | {
        readonly id: string;
        readonly traceId: string | undefined;
        readonly ip: string;
        readonly method: string;
        readonly route: string | undefined;
        readonly status: number;
      }
    | undefined;
};

/** Makes the formatter of lines for security.log. */
export function securityLine(format: LogSettings['LOG_FORMAT'], worker: number): (entry: SecurityEntry) => string {
  const timeStamp = createTimeStamp();
  return ({ event, account, aimedAt, principal, request }) => {
    const { id, traceId, ip, method, route, status } = request ?? {};
    const told = { event, account, aimed_at: aimedAt, principal, request_id: id, trace_id: traceId, ip, method, route, status };
    if (format === 'json') {
      return `${JSON.stringify({ level: 'info', time: timeStamp(), program: 'api', pid: process.pid, worker, msg: 'security', ...told })}\n`;
    }
    const fields = Object.entries(told).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
    return `${timeStamp()} INFO  api security ${fields.join(' ')} worker=${worker}\n`;
  };
}
