import type Koa from 'koa';
import { html, type Html } from '#lib/html.ts';
import type { Access, Admission } from './access.ts';
import { bodyOf } from './control-pages.ts';
import { pageShell } from './page-shell.ts';
import { type Voice, voiceFor } from './words.ts';

type SignInPage = (ctx: Koa.Context, access: Access) => void | Promise<void>;

/** How an operator comes in and goes, by method and path. */
export const signInPages: Readonly<Record<string, SignInPage>> = {
  'POST /operator/sign-in': async (ctx, access) => {
    if (isFromElsewhere(ctx)) return showSignIn(ctx, 'refused');
    const form = new URLSearchParams(await bodyOf(ctx));
    const { admission, cookie } = access.signIn(form.get('password') ?? '', addressOf(ctx), Date.now());
    if (cookie === undefined) return showSignIn(ctx, admission, true);
    ctx.set('set-cookie', cookie);
    ctx.status = 303;
    ctx.set('location', `/operator?lang=${voiceFor(ctx).language}`);
    ctx.body = '';
  },
  'POST /operator/sign-out': async (ctx, access) => {
    const token = access.formToken(ctx.headers, Date.now());
    if (token === undefined || new URLSearchParams(await bodyOf(ctx)).get('token') !== token) return showSignIn(ctx, 'refused');
    ctx.set('set-cookie', access.signOutCookie);
    ctx.status = 303;
    ctx.set('location', '/');
    ctx.body = '';
  },
};

/** Browsers say of themselves whose page sent a form; what says nothing is no browser, and carries nobody's cookie. */
const isFromElsewhere = (ctx: Koa.Context): boolean => !['', 'same-origin', 'none'].includes(ctx.get('sec-fetch-site'));

export const addressOf = (ctx: Koa.Context): string => ctx.req.socket.remoteAddress ?? '';

const statusOf = { admitted: 200, refused: 401, throttled: 429, closed: 403 } as const satisfies Record<Admission, number>;
const retryAfterS = '60';

/** Why somebody is not let in, as JSON where no page was asked for. */
export function refuseEntry(ctx: Koa.Context, admission: Admission): void {
  if (ctx.path.startsWith('/operator')) return showSignIn(ctx, admission);
  refusedAs(ctx, admission);
  if (admission === 'refused') ctx.set('www-authenticate', 'Bearer realm="atalaya"');
  const why = { admitted: '', refused: 'the password is asked for', throttled: 'too many wrong passwords; wait a minute', closed };
  ctx.body = { detail: why[admission] };
}

function refusedAs(ctx: Koa.Context, admission: Admission): void {
  ctx.status = statusOf[admission];
  if (admission === 'throttled') ctx.set('retry-after', retryAfterS);
}

const closed = 'this is for operators, and MONITOR_PASSWORD is not set';

function showSignIn(ctx: Koa.Context, admission: Admission, isWrong = false): void {
  const voice = voiceFor(ctx);
  const { language, words } = voice;
  refusedAs(ctx, admission);
  ctx.type = 'text/html; charset=utf-8';
  ctx.body = pageShell({
    language,
    title: `Atalaya · ${words.forOperators.signIn}`,
    main: html`${signInForm(admission, isWrong, voice)}
      <p><a href="/?lang=${language}">${words.back}</a></p>`,
  });
}

function signInForm(admission: Admission, isWrong: boolean, { language, words }: Voice): Html {
  const { forOperators: own } = words;
  if (admission === 'closed') {
    return html`<h1 class="plain">${own.closed}</h1>
      <p>${own.closedCure} <code>npm run monitor -- status</code>.</p>`;
  }
  const told = admission === 'throttled' ? own.throttled : isWrong && own.wrongPassword;
  return html`<h1 class="plain">${words.operators}</h1>
    ${told && html`<p class="warn" role="alert">${told}</p>`}
    <form method="post" action="/operator/sign-in?lang=${language}">
      <input type="hidden" name="username" value="operator" autocomplete="username" />
      <label for="password">${own.password}</label>
      <p><input id="password" name="password" type="password" autocomplete="current-password" required autofocus /></p>
      <p><button>${own.signIn}</button></p>
    </form>`;
}

/** The form that ends a session; nothing for who came without one. Pure. */
export const signOutForm = (token: string | undefined, { words }: Voice): Html | undefined =>
  token === undefined
    ? undefined
    : html`<form class="inline" method="post" action="/operator/sign-out">
        <input type="hidden" name="token" value="${token}" /><button class="link">${words.forOperators.signOut}</button>
      </form>`;
