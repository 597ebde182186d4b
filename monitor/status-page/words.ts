import type Koa from 'koa';
import type { HealthStatus } from '../model/look.ts';
import { statusIn } from '../words/labels.ts';
import { languageFor, type Language } from '../words/language.ts';
import { operatorEnglish, operatorSpanish } from './operator-words.ts';

const english = {
  title: 'Status',
  headline: {
    up: () => 'Everything is up',
    degraded: (names: string) => `Degraded: ${names}`,
    down: (names: string) => `Down: ${names}`,
    unknown: (names: string) => (names === '' ? 'Nothing is watched yet' : `Cannot be judged right now: ${names}`),
  } satisfies Record<HealthStatus, (names: string) => string>,
  status: statusIn.en satisfies Record<HealthStatus, string>,
  kind: { down: 'down', unknown: 'could not be judged', flapping: 'came and went', degraded: 'degraded' },
  services: 'Services',
  incidents: 'Incidents',
  noIncidents: 'None so far.',
  allIncidents: 'All incidents',
  older: 'Older ones',
  began: 'It began.',
  ended: 'It is over.',
  postMortem: 'What happened',
  unreadable: 'The record of incidents cannot be read.',
  openIncidents: (count: number) => (count === 1 ? 'One incident goes on.' : `${count} incidents go on.`),
  quietFor: (span: string) => `No incident for ${span}.`,
  stillGoing: 'still going on',
  over: 'over',
  lasted: (span: string) => `lasted ${span}`,
  maintenance: 'Planned work',
  everything: 'everything',
  until: (time: string) => `under way, until ${time}`,
  from: (start: string, end: string) => `${start} to ${end}`,
  uptime: (days: number) => (days === 1 ? 'today' : `${days} days`),
  days: (target: string, days: number) => `${target} over the last ${days} days`,
  noneKnown: 'unknown',
  downFor: (span: string) => `down ${span}`,
  degradedFor: (span: string) => `degraded ${span}`,
  unknownFor: (span: string) => `unknown ${span}`,
  to: 'to',
  history: 'History',
  historyTitle: (days: number) => `The last ${days} days, in UTC`,
  historyNote: 'Uptime is the share of the known time; what nobody could tell, or nobody watched, is left out and grey.',
  asOf: (time: string) => `as of ${time}`,
  allUtc: 'All times are UTC.',
  operators: 'For operators',
  back: 'Status page',
  other: 'Español',
  latency: 'Latency',
  latencyOf: (target: string, range: string) => `latency of ${target}, ${range}`,
  range: { '24h': '24 hours', '7d': '7 days', '90d': '90 days' },
  median: 'median',
  p95: '95th percentile',
  longest: 'longest',
  answers: 'answers',
  time: 'time',
  noneAnswered: 'Nothing was answered in this time.',
  latencyNote: 'By five minutes, hour or day of UTC. Only what was answered has a latency; percentiles are right to 2.5 %.',
  forOperators: operatorEnglish,
};

/** Every word of the pages. A language that lacks one does not pass the type check. */
export type Words = typeof english;

const spanish: Words = {
  title: 'Estado',
  headline: {
    up: () => 'Todo funciona',
    degraded: (names) => `Con problemas: ${names}`,
    down: (names) => `Caído: ${names}`,
    unknown: (names) => (names === '' ? 'Todavía no se vigila nada' : `No se puede juzgar ahora: ${names}`),
  },
  status: statusIn.es,
  kind: { down: 'caído', unknown: 'no se pudo juzgar', flapping: 'iba y venía', degraded: 'con problemas' },
  services: 'Servicios',
  incidents: 'Incidentes',
  noIncidents: 'Ninguno hasta ahora.',
  allIncidents: 'Todos los incidentes',
  older: 'Más antiguos',
  began: 'Empezó.',
  ended: 'Terminó.',
  postMortem: 'Qué pasó',
  unreadable: 'No se puede leer el registro de incidentes.',
  openIncidents: (count) => (count === 1 ? 'Hay un incidente abierto.' : `Hay ${count} incidentes abiertos.`),
  quietFor: (span) => `Sin incidentes desde hace ${span}.`,
  stillGoing: 'sigue abierto',
  over: 'terminado',
  lasted: (span) => `duró ${span}`,
  maintenance: 'Trabajos previstos',
  everything: 'todo',
  until: (time) => `en curso, hasta ${time}`,
  from: (start, end) => `de ${start} a ${end}`,
  uptime: (days) => (days === 1 ? 'hoy' : `${days} días`),
  days: (target, days) => `${target} en los últimos ${days} días`,
  noneKnown: 'desconocido',
  downFor: (span) => `caído ${span}`,
  degradedFor: (span) => `con problemas ${span}`,
  unknownFor: (span) => `desconocido ${span}`,
  to: 'a',
  history: 'Historial',
  historyTitle: (days) => `Los últimos ${days} días, en UTC`,
  historyNote: 'La disponibilidad es la parte del tiempo conocido; lo que nadie pudo saber, o nadie vigiló, no cuenta y queda en gris.',
  asOf: (time) => `a las ${time}`,
  allUtc: 'Todas las horas son UTC.',
  operators: 'Para operadores',
  back: 'Página de estado',
  other: 'English',
  latency: 'Latencia',
  latencyOf: (target, range) => `latencia de ${target}, ${range}`,
  range: { '24h': '24 horas', '7d': '7 días', '90d': '90 días' },
  median: 'mediana',
  p95: 'percentil 95',
  longest: 'máxima',
  answers: 'respuestas',
  time: 'hora',
  noneAnswered: 'En este tiempo no hubo respuestas.',
  latencyNote: 'Por cinco minutos, hora o día en UTC. Solo lo que respondió tiene latencia; los percentiles son exactos al 2,5 %.',
  forOperators: operatorSpanish,
};

const dictionary: Readonly<Record<Language, Words>> = { en: english, es: spanish };

/** What a page is written in: the words, and moments as its readers write them. */
export type Voice = { readonly language: Language; readonly words: Words; readonly time: (moment: string | number) => string };

const voices = new Map<Language, Voice>();

/** Made at the first page in a language: V8 reads its locales only then. */
export function voiceOf(language: Language): Voice {
  const made = voices.get(language) ?? makeVoice(language);
  voices.set(language, made);
  return made;
}

function makeVoice(language: Language): Voice {
  const format = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : 'es', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });
  return { language, words: dictionary[language], time: (moment) => format.format(new Date(moment)) };
}

/** In which language a page is asked for: by `lang` in the query of its address, or by the browser. */
export function voiceFor(ctx: Koa.Context): Voice {
  ctx.vary('Accept-Language');
  const { lang } = ctx.query;
  return voiceOf(languageFor(typeof lang === 'string' ? lang : undefined, ctx.get('accept-language')));
}
