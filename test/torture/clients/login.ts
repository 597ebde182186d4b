import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomInt, type Random } from '#loadtest/generate/random.ts';
import { loadtestKey } from '../../support/api-process.ts';
import { insist, send, type Answer, type Ask, type Course } from '../asking.ts';

/** An account with a password, and sessions of it, token by token. */

type Tokens = { readonly access_token: string; readonly refresh_token: string };

/** One session: its refresh tokens in the order in which they were had. */
export type Session = {
  readonly course: Course;
  readonly name: string;
  readonly clientId: number;
  readonly tokens: string[];
  access: string;
};

export type LoginAccount = { readonly clientId: number; readonly login: { readonly email: string; readonly password: string } };

/** Undefined where the faults were too many. */
export async function registerWithPassword(course: Course, random: Random, name: string): Promise<LoginAccount | undefined> {
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

/** Undefined where it is not told of a session. */
export async function logIn(course: Course, random: Random, { clientId, login }: LoginAccount, name: string): Promise<Session | undefined> {
  let answer = await askLogin(course, random, login);
  // Where many passwords wait to be hashed, some are told to come again.
  for (let left = 5; left > 0 && answer?.status === 503 && !course.isOver(); left -= 1) {
    await sleep(200);
    answer = await askLogin(course, random, login);
  }
  if (answer?.status !== 200) return undefined;
  const { access_token: access, refresh_token: token } = JSON.parse(answer.body) as Tokens;
  return { course, name, clientId, tokens: [token], access };
}

export const askLogin = (course: Course, random: Random, login: LoginAccount['login']): Promise<Answer | undefined> =>
  course.ask({ method: 'POST', path: '/clients/login', headers: fromSomewhere(random), body: login });

/** From some address: logins, and changes of a password, are counted by it. */
export function fromSomewhere(random: Random): Ask['headers'] {
  return { 'x-forwarded-for': `10.${Array.from({ length: 3 }, () => randomInt(random, 1, 250)).join('.')}` };
}

/** Shows the refresh token of that generation. */
export async function change(session: Session, generation: number): Promise<Answer | undefined> {
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
