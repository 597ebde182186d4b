import { inBoth } from './language.ts';

/** What is broken, and for whom: what stands behind "Broken for". */
export const impacts = {
  perhapsNobody: inBoth(
    () => 'perhaps nobody: the monitor cannot tell',
    () => 'quizá nadie: el monitor no puede saberlo',
  ),
  nobodyYet: inBoth(
    () => 'nobody yet',
    () => 'nadie todavía',
  ),
  wholeShop: inBoth(
    () => 'everybody: nothing can be browsed, ordered or paid',
    () => 'todos: no se puede mirar, pedir ni pagar nada',
  ),
  allMayWait: inBoth(
    () => 'everybody may have to wait',
    () => 'quizá todos tengan que esperar',
  ),
  limitsApart: inBoth(
    () => 'nobody is refused; each API counts its rate limit alone, and keeps no answers',
    () => 'no se rechaza a nadie; cada API cuenta sola su límite de peticiones, y no guarda respuestas',
  ),
  whoeverChecks: inBoth(
    () => 'everybody whose browser or app checks it: they refuse the site',
    () => 'todos aquellos cuyo navegador o aplicación lo comprueba: rechazan el sitio',
  ),
  whatIsWritten: inBoth(
    () => 'whatever is written to it: backups and logs among it',
    () => 'todo lo que se escribe en él: copias y registros entre otras cosas',
  ),
  whoeverAsks: inBoth(
    () => 'whoever looks the name up anew does not get to it',
    () => 'quien vuelva a buscar el nombre no llega',
  ),
  lostWithDatabase: inBoth(
    () => 'no customer; what came since the last good backup would be lost with the database',
    () => 'ningún cliente; lo que llegó desde la última copia buena se perdería con la base de datos',
  ),
  logsGrow: inBoth(
    () => 'no customer; the logs grow until their disk is full',
    () => 'ningún cliente; los registros crecen hasta llenar su disco',
  ),
  whoFailed: inBoth(
    () => 'whoever made the requests that fail',
    () => 'quienes hicieron las peticiones que fallan',
  ),
  whoGetsBadAnswers: inBoth(
    () => 'the customers who get the bad answers',
    () => 'los clientes que reciben las respuestas malas',
  ),
  whoNeedsJob: inBoth(
    () => 'whoever needs what the job makes',
    () => 'quien necesite lo que hace la tarea',
  ),
  nobodyWhile: inBoth(
    ({ others }: { readonly others: string }) => `nobody, as long as ${others} serves them alone`,
    ({ others }) => `nadie, mientras baste ${others}`,
  ),
  usersSlowly: inBoth(
    ({ who }: { readonly who: string }) => `who uses ${who} may be served slowly or in part`,
    ({ who }) => `quienes usan ${who} quizá esperen más o no tengan todo`,
  ),
  allUsers: inBoth(
    ({ who }: { readonly who: string }) => `everybody who uses ${who}`,
    ({ who }) => `todos los que usan ${who}`,
  ),
};
