import type { sentences } from './say.ts';

type Sentences = typeof sentences;

/** What a sentence is known by, wherever it is kept. */
export type Code = keyof Sentences;

/** What the blanks of a sentence hold: texts of targets as they are, durations in ms. */
export type Blanks<C extends Code> = Parameters<Sentences[C]['en']>[0];

/** What the monitor concludes, to be put into its reader's words by `say`; kept as JSON. */
export type Conclusion = { readonly [C in Code]: { readonly code: C } & Blanks<C> }[Code];

/** A text is what a target said, or what an older version wrote: it stands as it is in any language. */
export type Sentence = string | Conclusion;

/** The same with each of its texts changed. Pure. */
export function mapTexts(sentence: Sentence, change: (text: string) => string): Sentence {
  if (typeof sentence === 'string') return change(sentence);
  const changed = Object.entries(sentence).map(([key, value]) => [
    key,
    key !== 'code' && typeof value === 'string' ? change(value) : value,
  ]);
  return Object.fromEntries(changed) as Conclusion;
}
