import { causes } from './causes.ts';
import { impacts } from './impacts.ts';
import type { Language } from './language.ts';
import { nextSteps } from './next-steps.ts';
import { remarks } from './remarks.ts';

/** Everything that the monitor concludes, in both languages. */
export const sentences = { ...causes, ...impacts, ...nextSteps, ...remarks };

type Sentences = typeof sentences;

/** What a sentence is known by, wherever it is kept. */
export type Code = keyof Sentences;

/** What the blanks of a sentence hold: texts of targets as they are, durations in ms. */
export type Blanks<C extends Code> = Parameters<Sentences[C]['en']>[0];

/** What the monitor concludes, to be put into its reader's words by `say`; kept as JSON. */
export type Conclusion = { readonly [C in Code]: { readonly code: C } & Blanks<C> }[Code];

/** A text is what a target said, or what an older version wrote: it stands as it is in any language. */
export type Sentence = string | Conclusion;

/** A sentence in a language. One that this version does not know, as a later one may have left, is told by its code. Pure. */
export function say(sentence: Sentence, language: Language): string {
  if (typeof sentence === 'string') return sentence;
  const { code, ...blanks } = sentence;
  return Object.hasOwn(sentences, code) ? sentences[code][language](blanks as never) : code;
}

/** The same with each of its texts changed. Pure. */
export function mapTexts(sentence: Sentence, change: (text: string) => string): Sentence {
  if (typeof sentence === 'string') return change(sentence);
  const changed = Object.entries(sentence).map(([key, value]) => [
    key,
    key !== 'code' && typeof value === 'string' ? change(value) : value,
  ]);
  return Object.fromEntries(changed) as Conclusion;
}
