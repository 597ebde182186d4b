import type { Language } from './language.ts';

/** What findings, times and links are called; in English they are called what they are kept by. */
const spanish = {
  Answers: 'Respuestas',
  At: 'Hora',
  'Broken for': 'Afecta a',
  'Cannot be seen': 'No se puede ver',
  Connections: 'Conexiones',
  Delayed: 'Con retraso',
  'Depends on it': 'Depende de ello',
  Error: 'Error',
  'Error budget': 'Margen de error',
  Errors: 'Errores',
  'Held back': 'Retenido',
  Incident: 'Incidente',
  'Last error': 'Último error',
  'Last looks': 'Últimas consultas',
  'Last start': 'Último arranque',
  Lasted: 'Duró',
  'Load test': 'Prueba de carga',
  Lock: 'Bloqueo',
  'Longest transaction': 'Transacción más larga',
  Monitor: 'Monitor',
  Next: 'Ahora',
  'Not seen': 'No visto',
  'Not told in time': 'No avisado a tiempo',
  'Not well either': 'Tampoco están bien',
  Note: 'Nota',
  'On record': 'Registro',
  Pool: 'Conexiones de la API',
  'Says of itself': 'Dice de sí mismo',
  'Server errors': 'Errores del servidor',
  Sessions: 'Sesiones',
  Since: 'Desde',
  'Status page': 'Página de estado',
  'Take it on': 'Me encargo',
  Transaction: 'Transacción',
  Until: 'Hasta',
  'What follows': 'Qué sigue',
  Workers: 'Procesos',
} as const;

/** What a finding may be called: a label without a word in each language does not pass the type check. */
export type Label = keyof typeof spanish;

/** A label in a language; one that this version does not know, as an older one may have left, as it is. Pure. */
export const labelIn = (label: string, language: Language): string =>
  language === 'es' && Object.hasOwn(spanish, label) ? spanish[label as Label] : label;

type Status = 'up' | 'degraded' | 'down' | 'unknown';

/** How a target fares. */
export const statusIn: Readonly<Record<Language, Readonly<Record<Status, string>>>> = {
  en: { up: 'up', degraded: 'degraded', down: 'down', unknown: 'unknown' },
  es: { up: 'funciona', degraded: 'con problemas', down: 'caído', unknown: 'desconocido' },
};

const spanishEvents: Readonly<Record<string, string>> = {
  firing: 'alerta',
  resolved: 'resuelto',
  reminder: 'recordatorio',
  acknowledged: 'atendido',
  flapping: 'intermitente',
  settled: 'estable',
  unknown: 'desconocido',
  known: 'conocido',
  notice: 'aviso',
  test: 'prueba',
};

/** What a message tells, in a word. Pure. */
export const eventIn = (event: string, language: Language): string => (language === 'es' ? (spanishEvents[event] ?? event) : event);
