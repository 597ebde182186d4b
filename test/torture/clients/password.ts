import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomInt, type Random } from '#loadtest/generate/random.ts';
import { send, type Answer, type Course } from '../asking.ts';
import { askLogin, change, fromSomewhere, logIn, registerWithPassword, type LoginAccount, type Session } from './login.ts';
import type { SessionOptions } from './session.ts';

/** One who changes the password again and again, because a session is in the wrong hands, and sees each time that it is over. */

/** An account of which a session may have been ended for sure. */
type Kept = {
  readonly account: LoginAccount;
  /** Of who changes the password. */
  readonly own: Session;
  readonly changes: number;
  /** Whose access token works nowhere by then. Undefined before the first change. */
  readonly stolen?: Session;
  readonly worthlessAtMs: number;
};

/** Logins to one account are counted: each serves for some changes, and no more. */
const changesEach = 6;

/** So long the workers that did not end it may know it, and a bit for a question that was under way. */
const knownForMs = 5_000 + 3_000;
/** At once, over so many connections, so that most workers have seen a token. */
const looks = 6;

/**
 * Whose session was ended rests until its token must not work any more: whoever logged in meanwhile would make the workers look
 * again which sessions there are, and one that remembers them for too long would not be seen.
 */
export async function keepChanging({ course, random, name: changer }: SessionOptions): Promise<void> {
  const resting: Kept[] = [];
  for (let number = 0; !course.isOver(); number += 1) {
    const ripe = resting.findIndex(({ worthlessAtMs }) => course.now() > worthlessAtMs);
    const name = `${changer}-${number}`;
    const kept = ripe < 0 ? await meet(course, random, name) : resting.splice(ripe, 1)[0];
    if (kept?.stolen) await tryAccess(course, kept.stolen);
    const after = kept && kept.changes < changesEach ? await changeOnce({ course, random, kept, name }) : undefined;
    if (after) resting.push(after);
    await sleep(randomInt(random, 100, 400));
  }
}

async function meet(course: Course, random: Random, name: string): Promise<Kept | undefined> {
  const account = await registerWithPassword(course, random, name);
  const own = account && (await logIn(course, random, account, `${name}-own`));
  return account && own && { account, own, changes: 0, worthlessAtMs: 0 };
}

type Changing = {
  readonly course: Course;
  readonly random: Random;
  readonly kept: Kept;
  /** Of the stolen session; nobody else uses it. */
  readonly name: string;
};

/** @returns undefined where it is not known how the account can be logged in to from now on */
async function changeOnce({ course, random, kept, name }: Changing): Promise<Kept | undefined> {
  const { account, own, changes } = kept;
  const stolen = await logIn(course, random, account, `${name}-stolen`);
  if (stolen === undefined) return kept;
  await useAccess(course, stolen);
  const changed: LoginAccount = { ...account, login: { ...account.login, password: randomBytes(12).toString('hex') } };
  const answer = await askForChange({ course, random, kept, name }, stolen, changed.login.password);
  if (answer?.status === 503) return kept;
  if (answer?.status !== 204) return undefined;
  const worthlessAtMs = course.now() + knownForMs;
  // The judge knows what must become of it.
  await change(stolen, 0);
  // Passwords are dear to hash.
  if (random() < 0.3) await tryLogins(course, random, account, changed);
  return { account: changed, own, changes: changes + 1, stolen, worthlessAtMs };
}

/** Where many passwords wait to be hashed, some are told to come again: nothing has been done then. */
async function askForChange(
  { course, random, kept: { account, own }, name }: Changing,
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
async function tryAccess(course: Course, session: Session): Promise<void> {
  if ((await useAccess(course, session)) === 0) return;
  course.seen.push({ rule: 'session-over', detail: `session ${session.name}: its access token works long after the password was changed` });
}
