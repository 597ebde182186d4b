import { inBoth } from './language.ts';

/** Where to look, or what to run, next: a command stands first, and a semicolon begins another step. */
export const nextSteps = {
  endSession: inBoth(
    ({ pid }: { readonly pid: number }) => `SELECT pg_terminate_backend(${pid}) ends it, once you know whose it is`,
    ({ pid }) => `SELECT pg_terminate_backend(${pid}) la termina, cuando sepa de quién es`,
  ),
  cancelStatement: inBoth(
    ({ pid }: { readonly pid: number }) =>
      `SELECT pg_cancel_backend(${pid}) ends it, once you know whose it is; EXPLAIN shows where its time goes`,
    ({ pid }) => `SELECT pg_cancel_backend(${pid}) la termina, cuando sepa de quién es; EXPLAIN muestra en qué se va su tiempo`,
  ),
  explainStatement: inBoth(
    () => 'EXPLAIN shows where its time goes',
    () => 'EXPLAIN muestra en qué se va su tiempo',
  ),
  whoIsConnected: inBoth(
    () => 'pg_stat_activity shows who holds the connections',
    () => 'pg_stat_activity muestra quién ocupa las conexiones',
  ),
  whatGoesOn: inBoth(
    () => 'pg_stat_activity and pg_stat_replication show who and what it is',
    () => 'pg_stat_activity y pg_stat_replication muestran quién es y qué hace',
  ),
  takeBackRelease: inBoth(
    () => 'look at what was released last, and take it back if that is it',
    () => 'mire lo último que se publicó, y retírelo si es eso',
  ),
  endLoadTest: inBoth(
    () => 'find out who runs the load test, and end it if nobody meant this',
    () => 'averigüe quién lanzó la prueba de carga, y párela si nadie la quería',
  ),
  askNameServer: inBoth(
    () => 'ask it by hand with dig, from the machine of the monitor',
    () => 'pregúntele a mano con dig, desde la máquina del monitor',
  ),
  traceName: inBoth(
    ({ type, host, server }: { readonly type: string; readonly host: string; readonly server: string | undefined }) =>
      `dig ${type} ${host}${server === undefined ? '' : ` @${server}`} +trace shows who says so`,
    ({ type, host, server }) => `dig ${type} ${host}${server === undefined ? '' : ` @${server}`} +trace muestra quién lo dice`,
  ),
  startAnew: inBoth(
    ({ who }: { readonly who: string }) => `look whether ${who} is stopped, out of memory or busy with one thing, then start it anew`,
    ({ who }) => `mire si ${who} está parado, sin memoria u ocupado con una sola cosa, y arránquelo de nuevo`,
  ),
  seeServer: inBoth(
    () => 'look whether the server runs, at the end of its log, and at its disk',
    () => 'mire si el servidor está en marcha, el final de su registro y su disco',
  ),
  seeMemory: inBoth(
    () => 'look whether the server runs, at the end of its log, and at its memory',
    () => 'mire si el servidor está en marcha, el final de su registro y su memoria',
  ),
  askByHand: inBoth(
    () => 'ask it by hand: its whole answer, and the end of its log, say more',
    () => 'pregúntele a mano: su respuesta entera y el final de su registro dicen más',
  ),
  seeRenewal: inBoth(
    () => 'look at the log of what renews it, such as certbot, and whether the server has taken the new one',
    () => 'mire el registro de quien lo renueva, como certbot, y si el servidor ha tomado el nuevo',
  ),
  seeDisk: inBoth(
    ({ path }: { readonly path: string }) => `du -xh ${path} | sort -h | tail shows what fills it`,
    ({ path }) => `du -xh ${path} | sort -h | tail muestra qué lo llena`,
  ),
  seeLog: inBoth(
    ({ path }: { readonly path: string }) => `tail -n 50 ${path} shows what comes`,
    ({ path }) => `tail -n 50 ${path} muestra lo que llega`,
  ),
  seeJob: inBoth(
    () => 'look at the log of the job, and whether what starts it still does',
    () => 'mire el registro de la tarea, y si lo que la lanza sigue lanzándola',
  ),
  seeBackups: inBoth(
    () => 'npm run backup -- list shows the sets; npm run backup -- take makes one now',
    () => 'npm run backup -- list muestra las copias; npm run backup -- take hace una ahora',
  ),
  seeBadAnswers: inBoth(
    () => 'look in error.log and access.log which routes answer 5xx, and at what was released last',
    () => 'mire en error.log y access.log qué rutas responden 5xx, y lo último que se publicó',
  ),
  seeFolder: inBoth(
    () => 'look at the space, the owner and the rights of the folder',
    () => 'mire el espacio, el dueño y los permisos de la carpeta',
  ),
  restartWriter: inBoth(
    () => 'restart the program that still writes there',
    () => 'reinicie el programa que sigue escribiendo ahí',
  ),
  whyItHung: inBoth(
    () => 'look why it hung, in its log and at its memory; npm run monitor -- incidents tells when',
    () => 'mire por qué se colgó, en su registro y en su memoria; npm run monitor -- incidents dice cuándo',
  ),
  lookByHand: inBoth(
    ({ target }: { readonly target: string }) => `look at ${target} by hand`,
    ({ target }) => `mire ${target} a mano`,
  ),
  makeRoom: inBoth(
    () => 'make room on the disk of MONITOR_DATA_DIR, and see that the monitor may write there',
    () => 'haga sitio en el disco de MONITOR_DATA_DIR, y vea que el monitor pueda escribir ahí',
  ),
  checkConfig: inBoth(
    () => 'npm run monitor -- check-config',
    () => 'npm run monitor -- check-config',
  ),
  mendChannel: inBoth(
    () => 'mend its settings, then send SIGHUP to the monitor, or try npm run monitor -- test-alert',
    () => 'corrija su configuración y envíe SIGHUP al monitor, o pruebe npm run monitor -- test-alert',
  ),
  whyItStoodStill: inBoth(
    () => 'see whether its container or machine was paused, or short of CPU or memory',
    () => 'vea si su contenedor o su máquina estuvo en pausa, o sin CPU o memoria',
  ),
  whyItWasEnded: inBoth(
    () => 'look at the log of the monitor and at the load of its machine',
    () => 'mire el registro del monitor y la carga de su máquina',
  ),
};
