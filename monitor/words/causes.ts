import { showDuration } from '#lib/show.ts';
import { inBoth } from './language.ts';

/** Somebody who is connected to PostgreSQL. */
export type Session = { readonly application: string; readonly pid: number };
type Who = { readonly who: string };

/** How it is called. */
export const whoEn = ({ application, pid }: Session): string => `${application || 'a client without a name'} (process ${pid})`;
/** The same in Spanish. */
export const whoEs = ({ application, pid }: Session): string => `${application || 'un cliente sin nombre'} (proceso ${pid})`;

/** Why something is so: whole sentences, which stand first in a message. */
export const causes = {
  lockHeld: inBoth(
    (lock: Session & { readonly state: string; readonly waiting: number; readonly heldMs: number; readonly usesUpPool: boolean }) =>
      `${lock.usesUpPool ? 'The pool of connections is used up: ' : ''}${lock.waiting} statements wait for a lock that ${whoEn(lock)}, ${lock.state}, has held for up to ${showDuration(lock.heldMs)}.`,
    (lock) =>
      `${lock.usesUpPool ? 'Las conexiones de la API están agotadas: ' : ''}${lock.waiting} sentencias esperan un bloqueo que ${whoEs(lock)}, ${lock.state}, mantiene desde hace hasta ${showDuration(lock.heldMs)}.`,
  ),
  startedBefore: inBoth(
    ({ beforeMs }: { readonly beforeMs: number }) => `The API was started anew ${showDuration(beforeMs)} before, as by a release.`,
    ({ beforeMs }) => `La API arrancó de nuevo ${showDuration(beforeMs)} antes, como en una versión nueva.`,
  ),
  loadTestRuns: inBoth(
    () => 'A load test runs against it.',
    () => 'Hay una prueba de carga en curso.',
  ),
  poolUsedUp: inBoth(
    ({ most, waiting }: { readonly most: number; readonly waiting: number }) =>
      `The pool of connections is used up: all ${most} are in use, and ${waiting} requests wait for one.`,
    ({ most, waiting }) => `Las conexiones de la API están agotadas: las ${most} están en uso y ${waiting} peticiones esperan una.`,
  ),
  doesNotRun: inBoth(
    ({ who }: Who) => `${who} does not run: nothing listens at its port.`,
    ({ who }) => `${who} no está en marcha: nada escucha en su puerto.`,
  ),
  hostIsGone: inBoth(
    ({ who }: Who) => `${who} is gone: its host name does not exist.`,
    ({ who }) => `${who} ha desaparecido: el nombre de su máquina no existe.`,
  ),
  outOfReach: inBoth(
    ({ who }: Who) => `${who} cannot be reached: there is no way through the network to it.`,
    ({ who }) => `No se llega a ${who}: no hay camino por la red.`,
  ),
  hangs: inBoth(
    ({ who }: Who) => `${who} hangs: it lets itself be connected to and does not answer.`,
    ({ who }) => `${who} está colgado: acepta conexiones y no responde.`,
  ),
  isUnwell: inBoth(
    ({ who, said }: Who & { readonly said: string }) => `${who} answers, and says that it is not well: ${said}.`,
    ({ who, said }) => `${who} responde, y dice que no está bien: ${said}.`,
  ),
  nameServerSilent: inBoth(
    ({ server }: { readonly server: string | undefined }) => `The name server ${server === undefined ? '' : `${server} `}does not answer.`,
    ({ server }) => `El servidor de nombres ${server === undefined ? '' : `${server} `}no responde.`,
  ),
  nameForeign: inBoth(
    ({ host }: { readonly host: string }) => `The name ${host} leads to a foreign address.`,
    ({ host }) => `El nombre ${host} lleva a una dirección ajena.`,
  ),
  nameWithoutAddress: inBoth(
    ({ host }: { readonly host: string }) => `Name service does not give the address of ${host}.`,
    ({ host }) => `El servicio de nombres no da la dirección de ${host}.`,
  ),
  certificateOver: inBoth(
    ({ end }: { readonly end: string }) => `The certificate is over since ${end}.`,
    ({ end }) => `El certificado caducó el ${end}.`,
  ),
  certificateEnds: inBoth(
    ({ end }: { readonly end: string }) => `The certificate ends on ${end} and was not renewed.`,
    ({ end }) => `El certificado caduca el ${end} y no se ha renovado.`,
  ),
  certificateUnfit: inBoth(
    () => 'The certificate is not one that clients take.',
    () => 'El certificado no es de los que los clientes aceptan.',
  ),
  diskFull: inBoth(
    ({ path, isFull }: { readonly path: string; readonly isFull: boolean }) => `The disk of ${path} is ${isFull ? '' : 'nearly '}full.`,
    ({ path, isFull }) => `El disco de ${path} está ${isFull ? '' : 'casi '}lleno.`,
  ),
  diskFills: inBoth(
    ({ path }: { readonly path: string }) => `The disk of ${path} fills up.`,
    ({ path }) => `El disco de ${path} se está llenando.`,
  ),
  logErrors: inBoth(
    ({ path, last }: { readonly path: string; readonly last: string | undefined }) =>
      `Errors come to ${path}${last === undefined ? '' : `, the last of them: ${last}`}.`,
    ({ path, last }) => `Llegan errores a ${path}${last === undefined ? '' : `; el último: ${last}`}.`,
  ),
  logGrows: inBoth(
    ({ path }: { readonly path: string }) => `The log ${path} grows too fast or too large.`,
    ({ path }) => `El registro ${path} crece demasiado.`,
  ),
  connectionsGone: inBoth(
    () => 'PostgreSQL has no connection left.',
    () => 'A PostgreSQL no le queda ninguna conexión.',
  ),
  connectionsFew: inBoth(
    () => 'The connections of PostgreSQL are nearly used up.',
    () => 'Las conexiones de PostgreSQL están casi agotadas.',
  ),
  transactionOpen: inBoth(
    (holder: Session & { readonly isActive: boolean }) =>
      `${holder.isActive ? 'A transaction goes on and on' : 'A transaction is left open'}: process ${holder.pid} of ${holder.application || 'a client without a name'} holds it.`,
    (holder) =>
      `${holder.isActive ? 'Una transacción no acaba' : 'Una transacción quedó abierta'}: la mantiene el proceso ${holder.pid} de ${holder.application || 'un cliente sin nombre'}.`,
  ),
  statementRuns: inBoth(
    (running: Session & { readonly statement: string; readonly ageMs: number }) =>
      `A statement is slow: ${running.statement}, of ${whoEn(running)}, has run for ${showDuration(running.ageMs)}.`,
    (running) => `Una sentencia es lenta: ${running.statement}, de ${whoEs(running)}, lleva ${showDuration(running.ageMs)}.`,
  ),
  statementsSlow: inBoth(
    ({ calls, meanMs, statement }: { readonly calls: number; readonly meanMs: number; readonly statement: string }) =>
      `A statement is slow: ${calls} calls took ${showDuration(meanMs)} each: ${statement}.`,
    ({ calls, meanMs, statement }) => `Una sentencia es lenta: ${calls} llamadas tardaron ${showDuration(meanMs)} cada una: ${statement}.`,
  ),
  standbyBehind: inBoth(
    () => 'A standby of PostgreSQL is behind or gone.',
    () => 'Una réplica de PostgreSQL va con retraso o ha desaparecido.',
  ),
  backupFailed: inBoth(
    () => 'The last backup failed.',
    () => 'La última copia de seguridad falló.',
  ),
  backupUnfit: inBoth(
    () => 'The last backup was taken, and cannot be restored.',
    () => 'La última copia de seguridad se hizo, y no se puede restaurar.',
  ),
  backupsUnproven: inBoth(
    ({ forMs, areTaken }: { readonly forMs: number; readonly areTaken: boolean }) =>
      `${areTaken ? 'Backups are taken, but none' : 'No backup'} has been proven to restore for ${showDuration(forMs)}.`,
    ({ forMs, areTaken }) =>
      `${areTaken ? 'Se hacen copias de seguridad, pero de ninguna' : 'De ninguna copia de seguridad'} se ha comprobado desde hace ${showDuration(forMs)} que se restaure.`,
  ),
};
