import type Koa from 'koa';
import { parseBeat, type Beat } from '../model/beat.ts';
import type { Signer } from '../quiet/signature.ts';

export type BeatDeps = {
  readonly signer: Signer;
  /** @returns false where no such job is watched. @throws {StoreError} it is heard, and may be forgotten by a restart */
  readonly hear: (probe: string, beat: Beat) => boolean;
};

/** Where a job says how it fares: this, or with `/start`, `/fail` or its exit code behind it. */
export const beatPath = (signer: Signer, probe: string): string => `/beat/${probe}/${signer.sign('beat', probe)}`;

/**
 * Hears a job. By GET too, since that is what a line of a crontab can do; whoever has no signature learns nothing of what is watched.
 */
export function hearBeat(ctx: Koa.Context, { signer, hear }: BeatDeps): void {
  const [, probe = '', signature = '', said = ''] = /^\/beat\/([\w.-]+)\/([\w-]+)(?:\/(\w+))?$/.exec(ctx.path) ?? [];
  if (!['GET', 'HEAD', 'POST'].includes(ctx.method)) {
    answer(ctx, 405, 'only GET, HEAD and POST are answered here');
  } else if (!signer.isSigned('beat', probe, signature)) {
    answer(ctx, 404, 'there is no such page');
  } else {
    const beat = parseBeat(said);
    if (!beat) answer(ctx, 422, 'the end must be nothing, start, fail or an exit code up to 255');
    else if (hear(probe, beat)) answer(ctx, 200, 'heard');
    else answer(ctx, 410, `${probe} is no longer watched as a heartbeat`);
  }
}

function answer(ctx: Koa.Context, status: number, detail: string): void {
  ctx.status = status;
  ctx.body = { detail };
}
