type Format = Pick<Intl.DateTimeFormat, 'formatToParts'>;

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

/** What `Intl` says of a moment in UTC, as `en-US` writes it with two digits a part and hours to 23; punctuation left out. */
const partsInUtc: Format = {
  formatToParts: (moment) => {
    const date = new Date(moment ?? Date.now());
    const [year, month, day, hour, minute, second] = date.toISOString().split(/[-:T.]/) as [string, string, string, string, string, string];
    const weekday = weekdays[date.getUTCDay()] ?? '';
    return Object.entries({ weekday, month, day, year, hour, minute, second }).map(([type, value]) => ({ type, value }) as never);
  },
};

const offsetOfUtc: Format = { formatToParts: () => [{ type: 'timeZoneName', value: 'GMT+0' }] };

/**
 * Answers the two questions node-cron asks of `Intl.DateTimeFormat`, both about UTC, without V8: that looks at each of its 800
 * locales when it is first asked, 8 MB that stay in a process that has to be small. Anything else still goes to V8.
 */
export function useLightUtc(): void {
  const { DateTimeFormat } = Intl;
  const light = function (locale: string, options: Intl.DateTimeFormatOptions = {}): Format {
    const { timeZone, timeZoneName, weekday, hour12 } = options;
    if (timeZone !== 'UTC') return new DateTimeFormat(locale, options);
    if (timeZoneName === 'shortOffset') return offsetOfUtc;
    return weekday === 'short' && hour12 === false ? partsInUtc : new DateTimeFormat(locale, options);
  };
  Intl.DateTimeFormat = Object.setPrototypeOf(light, DateTimeFormat) as typeof DateTimeFormat;
}
