import { setTimeout as sleep } from 'node:timers/promises';
import { pick, randomInt, type Random } from '#loadtest/generate/random.ts';
import { isOpen, send, type Course } from '../asking.ts';
import { change, logIn, registerWithPassword, type LoginAccount, type Session } from './login.ts';

/** One who logs in and goes on with a session, token by token, and tries tokens that must not work any more. */

export type SessionOptions = { readonly course: Course; readonly random: Random; readonly name: string };

/** Passwords are dear to hash, and logins to one account are counted: each serves for some sessions, and no more. */
const sessionsEach = 6;

export async function stayLoggedIn({ course, random, name }: SessionOptions): Promise<void> {
  let account: LoginAccount | undefined;
  for (let number = 0; !course.isOver(); number += 1) {
    if (number % sessionsEach === 0) account = await registerWithPassword(course, random, `${name}-${number}`);
    const session = account && (await logIn(course, random, account, `${name}-${number}`));
    if (session === undefined) await sleep(100);
    else await live(session, random);
  }
}

async function live(session: Session, random: Random): Promise<void> {
  const { course, tokens } = session;
  while (!course.isOver()) {
    await sleep(randomInt(random, 40, 160));
    const dice = random();
    const [old, last] = [tokens.slice(0, -2), tokens.length - 1];
    if (dice < 0.02 && old.length > 0) return tryOld(session, pick(random, [...old.keys()]));
    if (dice < 0.026) return logOut(session);
    // An answer that was lost makes a good client ask again with the token it has.
    for (let left = 5; left > 0; left -= 1) {
      const answer = await change(session, last);
      if (answer?.status === 401) return;
      if (answer?.status === 200 || !isOpen(answer) || course.isOver()) break;
      await sleep(50);
    }
  }
}

/** A token that was changed long ago is in the wrong hands: it must not work, and ends the session. */
async function tryOld(session: Session, generation: number): Promise<void> {
  await change(session, generation);
}

async function logOut(session: Session): Promise<void> {
  const { course, name, clientId, access, tokens } = session;
  const answer = await send(course, {
    actor: name,
    key: 'logout',
    what: { kind: 'logout', session: name },
    request: { method: 'DELETE', path: `/clients/${clientId}/sessions`, headers: { authorization: `Bearer ${access}` } },
  });
  if (answer?.status === 204) await change(session, tokens.length - 1);
}
