import { showDuration } from '#lib/show.ts';
import { inBoth } from './language.ts';

/** What a message says of itself: of its sender, of what it tells late, and of how it comes. */
export const remarks = {
  sentFrom: inBoth(
    ({ deployment, host }: { readonly deployment: string; readonly host: string }) => `${deployment}, on ${host}`,
    ({ deployment, host }) => `${deployment}, en ${host}`,
  ),
  toldLate: inBoth(
    ({ began, lastedMs, detail }: { readonly began: string; readonly lastedMs: number; readonly detail: string }) =>
      `${began}, for ${showDuration(lastedMs)}: ${detail}`,
    ({ began, lastedMs, detail }) => `${began}, durante ${showDuration(lastedMs)}: ${detail}`,
  ),
  delayed: inBoth(
    ({ byMs }: { readonly byMs: number }) => `${showDuration(byMs)}: the channel or the monitor was not available`,
    ({ byMs }) => `${showDuration(byMs)}: el canal o el monitor no estaba disponible`,
  ),
  mayRepeat: inBoth(
    () => 'an earlier attempt was cut off, so this may be a repeat',
    () => 'un intento anterior se cortó, así que puede ser una repetición',
  ),
  mayComeAgain: inBoth(
    () => 'the monitor cannot write its store, so this may come again',
    () => 'el monitor no puede escribir en su almacén, así que esto puede llegar otra vez',
  ),
};
