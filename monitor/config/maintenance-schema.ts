import * as z from 'zod';
import { duration } from '../probes/fields.ts';
import type { Maintenance } from '../quiet/maintenance.ts';

const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const everyDay = [0, 1, 2, 3, 4, 5, 6];
const started = /^(?:(\d{4}-\d\d-\d\d)[T ])?([01]\d|2[0-3]):([0-5]\d)$/;
const startHint = 'must be a time such as 02:00, or a day and a time such as 2026-12-01T20:00';

/** One entry of `maintenance` in the file; what comes out is what the rules read. */
export const maintenanceSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be letters, digits, dots, dashes and underscores, at most 63')
      .describe('What messages and the page call it.'),
    targets: z.array(z.string()).min(1).optional().describe('Targets that are worked on; unset: all of them.'),
    start: z.string(startHint).regex(started, startHint).describe('When it begins: a time such as 02:00, or once, as in 2026-12-01T20:00.'),
    for: duration(60_000, 7 * 86_400_000).describe('How long it lasts, whatever is done to the clocks meanwhile.'),
    days: z.array(z.enum(weekdays)).min(1).optional().describe('Days of the week it begins on, such as sat; unset: every day.'),
    timeZone: z
      .string()
      .refine(isTimeZone, 'must be the name of a time zone, such as Europe/Madrid')
      .default('UTC')
      .describe('Whose clocks start and days are by, such as Europe/Madrid.'),
  })
  .superRefine(({ start, days }, context) => {
    const [, date] = started.exec(start) ?? [];
    const add = (message: string): void => context.addIssue({ code: 'custom', path: ['start'], message });
    if (date !== undefined && new Date(`${date}T00:00Z`).toJSON()?.slice(0, 10) !== date) add('there is no such day');
    if (date !== undefined && days !== undefined) add('names its one day; days is for what comes again');
  })
  .transform(({ start, days, for: forMs, name, targets, timeZone }): Maintenance => {
    const [, date, hour, minute] = started.exec(start) ?? [];
    return {
      name,
      targets,
      timeZone,
      date: date === undefined ? undefined : Date.parse(`${date}T00:00Z`),
      days: days?.map((day) => weekdays.indexOf(day)) ?? everyDay,
      minuteOfDay: Number(hour) * 60 + Number(minute),
      forMs,
    };
  });

/** V8 reads all its locales when it is first asked about a zone, so it is not asked about UTC. */
function isTimeZone(name: string): boolean {
  if (name === 'UTC') return true;
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
