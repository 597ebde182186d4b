import { randomBytes } from 'node:crypto';
import type { Random } from '#loadtest/generate/random.ts';
import { send, type Course } from '../asking.ts';
import { askLogin, change, logIn, type LoginAccount, type Session } from './login.ts';

/** One who changes the password because a session is in the wrong hands, and sees that it is over. */

/** A session that was ended for sure. */
export type Ended = { readonly session: Session; /** Since when its access token works nowhere. */ readonly worthlessAtMs: number };

/** So long the workers that did not end it may know it, and a bit for a question that was under way. */
const knownForMs = 5_000 + 3_000;
/** At once, over so many connections, so that most workers have seen a token. */
const looks = 6;

/**
 * @param name begins the names of its sessions, which nobody else uses
 * @returns the account as it can be logged in to from now on; undefined where the faults were too many
 */
export async function changePassword(
  course: Course,
  random: Random,
  account: LoginAccount,
  name: string,
): Promise<{ readonly account: LoginAccount; readonly ended: Ended } | undefined> {
  const [own, stolen] = [await logIn(course, random, account, `${name}-own`), await logIn(course, random, account, `${name}-stolen`)];
  if (own === undefined || stolen === undefined) return undefined;
  await useAccess(course, stolen);
  const changed: LoginAccount = { ...account, login: { ...account.login, password: randomBytes(12).toString('hex') } };
  const answer = await send(course, {
    actor: own.name,
    key: 'password',
    what: { kind: 'password', session: stolen.name },
    request: {
      method: 'PUT',
      path: `/clients/${account.clientId}/password`,
      headers: { authorization: `Bearer ${own.access}` },
      body: { current_password: account.login.password, new_password: changed.login.password },
    },
  });
  if (answer?.status !== 204) return undefined;
  const worthlessAtMs = course.now() + knownForMs;
  // The judge knows what must become of it.
  await change(stolen, 0);
  const wrong = (detail: string): void => void course.seen.push({ rule: 'session-over', detail: `client ${account.clientId}: ${detail}` });
  if ((await askLogin(course, random, account.login))?.status === 200) wrong('the password before the last one logs in');
  if ((await askLogin(course, random, changed.login))?.status === 401) wrong('the password chosen last does not log in');
  return { account: changed, ended: { session: stolen, worthlessAtMs } };
}

/** @returns how often it worked */
async function useAccess(course: Course, { clientId, access }: Session): Promise<number> {
  const request = { method: 'GET', path: `/clients/${clientId}`, headers: { authorization: `Bearer ${access}` } } as const;
  const answers = await Promise.all(Array.from({ length: looks }, () => course.ask(request)));
  return answers.filter((answer) => answer?.status === 200).length;
}

/** Shows the access token of a session that is long over. */
export async function tryAccess(course: Course, { session }: Ended): Promise<void> {
  if ((await useAccess(course, session)) === 0) return;
  course.seen.push({ rule: 'session-over', detail: `session ${session.name}: its access token works long after the password was changed` });
}
