import type Koa from 'koa';
import { languageFor, voiceOf, type Voice } from './words.ts';

/** In which language a page is asked for: by `lang` in the query of its address, or by the browser. */
export function voiceFor(ctx: Koa.Context): Voice {
  ctx.vary('Accept-Language');
  const { lang } = ctx.query;
  return voiceOf(languageFor(typeof lang === 'string' ? lang : undefined, ctx.get('accept-language')));
}
