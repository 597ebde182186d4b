import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { pick, randomInt, type Random } from '#loadtest/generate/random.ts';
import { loadtestKey } from '../../support/api-process.ts';
import { insist, isOpen, send, type Answer, type Ask, type Course } from '../asking.ts';

/** One who logs in and goes on with a session, token by token, and tries tokens that must not work any more. */

export type SessionOptions = { readonly course: Course; readonly random: Random; readonly name: string };

type Tokens = { readonly access_token: string; readonly refresh_token: string };

/** One session: its refresh tokens in the order in which they were had. */
type Session = { readonly course: Course; readonly name: string; readonly clientId: number; readonly tokens: string[]; access: string };

/** Passwords are dear to hash, and logins to one account are counted: each serves for some sessions, and no more. */
const sessionsEach = 10;

export async function stayLoggedIn({ course, random, name }: SessionOptions): Promise<void> {
  let account: Account | undefined;
  for (let number = 0; !course.isOver(); number += 1) {
    if (number % sessionsEach === 0) account = await register(course, random, `${name}-${number}`);
    const session = account && (await logIn(course, random, account, `${name}-${number}`));
    if (session === undefined) await sleep(100);
    else await live(session, random);
  }
}

type Account = { readonly clientId: number; readonly login: { readonly email: string; readonly password: string } };

async function register(course: Course, random: Random, name: string): Promise<Account | undefined> {
  const [email, password] = [`${name}@torture.invalid`, randomBytes(12).toString('hex')];
  const request: Ask = {
    method: 'POST',
    path: '/clients',
    headers: { 'x-api-key': loadtestKey },
    body: { name: 'Ana', lastname: 'Vega', email, password },
  };
  const made = await insist(course, random, { actor: 'loadtest', key: name, what: { kind: 'register', email }, request });
  if (made?.status !== 201) return undefined;
  return { clientId: (JSON.parse(made.body) as { id_key: number }).id_key, login: { email, password } };
}

async function logIn(course: Course, random: Random, { clientId, login }: Account, name: string): Promise<Session | undefined> {
  const address = Array.from({ length: 3 }, () => randomInt(random, 1, 250)).join('.');
  const headers = { 'x-forwarded-for': `10.${address}` };
  const answer = await course.ask({ method: 'POST', path: '/clients/login', headers, body: login });
  if (answer?.status !== 200) return undefined;
  const { access_token: access, refresh_token: token } = JSON.parse(answer.body) as Tokens;
  return { course, name, clientId, tokens: [token], access };
}

async function live(session: Session, random: Random): Promise<void> {
  const { course, tokens } = session;
  while (!course.isOver()) {
    await sleep(randomInt(random, 40, 160));
    const dice = random();
    const [old, last] = [tokens.slice(0, -2), tokens.length - 1];
    if (dice < 0.04 && old.length > 0) return tryOld(session, pick(random, [...old.keys()]));
    if (dice < 0.05) return logOut(session);
    // An answer that was lost makes a good client ask again with the token it has.
    for (let left = 5; left > 0; left -= 1) {
      const answer = await change(session, last);
      if (answer?.status === 401) return;
      if (answer?.status === 200 || !isOpen(answer) || course.isOver()) break;
      await sleep(50);
    }
  }
}

/** Shows the refresh token of that generation. */
async function change(session: Session, generation: number): Promise<Answer | undefined> {
  const { course, name, tokens } = session;
  const body = { refresh_token: tokens[generation] };
  const answer = await send(course, {
    actor: name,
    key: `refresh-${generation}`,
    what: { kind: 'refresh', session: name, generation },
    request: { method: 'POST', path: '/clients/refresh', headers: {}, body },
  });
  if (answer?.status !== 200) return answer;
  const { access_token: access, refresh_token: token } = JSON.parse(answer.body) as Tokens;
  session.access = access;
  tokens[generation + 1] = token;
  return answer;
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
