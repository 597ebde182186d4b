/** The languages that people are told in. */
export type Language = 'en' | 'es';

/** A sentence in both languages, by what its blanks hold. */
export type InBoth<Blanks> = Readonly<Record<Language, (blanks: Blanks) => string>>;

/** The Spanish fills the blanks that the English has. */
export const inBoth = <Blanks = object>(en: (blanks: Blanks) => string, es: (blanks: Blanks) => string): InBoth<Blanks> => ({ en, es });

/**
 * The language somebody reads best: the one asked for by name, else the first of Accept-Language that there is, else English. Pure.
 * @param asked the query's `lang`
 */
export function languageFor(asked: string | undefined, acceptLanguage: string): Language {
  if (asked === 'en' || asked === 'es') return asked;
  const ranges = acceptLanguage.split(',').map((range) => {
    const [tag = '', ...parameters] = range.trim().toLowerCase().split(';');
    const quality = parameters.map((each) => /^\s*q=([\d.]+)\s*$/.exec(each)?.[1]).find((each) => each !== undefined);
    return { language: tag.split('-')[0] ?? '', quality: Number(quality ?? 1) };
  });
  const known = ranges.filter(({ language, quality }) => (language === 'en' || language === 'es') && quality > 0);
  return known.toSorted((a, b) => b.quality - a.quality)[0]?.language === 'es' ? 'es' : 'en';
}
