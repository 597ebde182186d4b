import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomInt, type Random } from '#loadtest/generate/random.ts';
import { send, type Answer, type Course } from '../asking.ts';
import { askLogin, change, fromSomewhere, logIn, registerWithPassword, type LoginAccount, type Session } from './login.ts';
import type { SessionOptions } from './session.ts';

/** One who changes the password again and again, because a session is in the wrong hands, and sees each time that it is over. */

/** A session that was ended for sure. */
type Ended = { readonly session: Session; /** Since when its access token works nowhere. */ readonly worthlessAtMs: number };

/**
 * Logins to one account are counted: each serves for some changes, and no more. Often for one: whoever logs in afterwards makes
 * the workers look again whose sessions are over, and what one of them remembers for too long would not be seen.
 */
const mostChanges = 4;

/** So long the workers that did not end it may know it, and a bit for a question that was under way. */
const knownForMs = 5_000 + 3_000;
/** At once, over so many connections, so that most workers have seen a token. */
const looks = 6;

export async function keepChanging({ course, random, name }: SessionOptions): Promise<void> {
  const ended: Ended[] = [];
  for (let number = 0; !course.isOver(); number += 1) {
    let account = await registerWithPassword(course, random, `${name}-${number}`);
    const own = account && (await logIn(course, random, account, `${name}-${number}-own`));
    if (own === undefined) {
      await sleep(100);
      continue;
    }
    for (let left = randomInt(random, 1, mostChanges); account && left > 0 && !course.isOver(); left -= 1) {
      account = await changeOnce({ course, random, account, own, name: `${name}-${number}-${left}`, ended });
      const ripe = ended.findIndex(({ worthlessAtMs }) => course.now() > worthlessAtMs);
      for (const one of ripe < 0 ? [] : ended.splice(ripe, 1)) await tryAccess(course, one);
      await sleep(randomInt(random, 100, 400));
    }
  }
}

type Changing = {
  readonly course: Course;
  readonly random: Random;
  readonly account: LoginAccount;
  /** Who changes it. */
  readonly own: Session;
  /** Of the stolen session; nobody else uses it. */
  readonly name: string;
  /** Where the session goes that it ends. */
  readonly ended: Ended[];
};

/** @returns the account as it can be logged in to from now on; undefined where that is not known */
async function changeOnce({ course, random, account, own, name, ended }: Changing): Promise<LoginAccount | undefined> {
  const stolen = await logIn(course, random, account, `${name}-stolen`);
  if (stolen === undefined) return account;
  await useAccess(course, stolen);
  const changed: LoginAccount = { ...account, login: { ...account.login, password: randomBytes(12).toString('hex') } };
  const answer = await askForChange({ course, random, account, own, name }, stolen, changed.login.password);
  if (answer?.status === 503) return account;
  if (answer?.status !== 204) return undefined;
  ended.push({ session: stolen, worthlessAtMs: course.now() + knownForMs });
  // The judge knows what must become of it.
  await change(stolen, 0);
  // Passwords are dear to hash.
  if (random() < 0.3) await tryLogins(course, random, account, changed);
  return changed;
}

/** Where many passwords wait to be hashed, some are told to come again: nothing has been done then. */
async function askForChange(
  { course, random, account, own, name }: Omit<Changing, 'ended'>,
  stolen: Session,
  password: string,
): Promise<Answer | undefined> {
  for (let left = 5; ; left -= 1) {
    const answer = await send(course, {
      actor: own.name,
      key: `password-${name}`,
      what: { kind: 'password', session: stolen.name },
      request: {
        method: 'PUT',
        path: `/clients/${account.clientId}/password`,
        headers: { ...fromSomewhere(random), authorization: `Bearer ${own.access}` },
        body: { current_password: account.login.password, new_password: password },
      },
    });
    if (answer?.status !== 503 || left === 0 || course.isOver()) return answer;
    await sleep(200);
  }
}

async function tryLogins(course: Course, random: Random, before: LoginAccount, now: LoginAccount): Promise<void> {
  const wrong = (detail: string): void => void course.seen.push({ rule: 'session-over', detail: `client ${now.clientId}: ${detail}` });
  if ((await askLogin(course, random, before.login))?.status === 200) wrong('the password before the last one logs in');
  if ((await askLogin(course, random, now.login))?.status === 401) wrong('the password chosen last does not log in');
}

/** @returns how often it worked */
async function useAccess(course: Course, { clientId, access }: Session): Promise<number> {
  const request = { method: 'GET', path: `/clients/${clientId}`, headers: { authorization: `Bearer ${access}` } } as const;
  const answers = await Promise.all(Array.from({ length: looks }, () => course.ask(request)));
  return answers.filter((answer) => answer?.status === 200).length;
}

/** Shows the access token of a session that is long over. */
async function tryAccess(course: Course, { session }: Ended): Promise<void> {
  if ((await useAccess(course, session)) === 0) return;
  course.seen.push({ rule: 'session-over', detail: `session ${session.name}: its access token works long after the password was changed` });
}
