import { causes } from './causes.ts';
import { findings } from './findings.ts';
import { impacts } from './impacts.ts';
import type { Language } from './language.ts';
import { nextSteps } from './next-steps.ts';
import { remarks } from './remarks.ts';
import type { Sentence } from './sentence.ts';

/** Everything that the monitor concludes, in both languages. Who is at rest loads it at the first word. */
export const sentences = { ...causes, ...findings, ...impacts, ...nextSteps, ...remarks };

/** A sentence in a language. One that this version does not know, as a later one may have left, is told by its code. Pure. */
export function say(sentence: Sentence, language: Language): string {
  if (typeof sentence === 'string') return sentence;
  const { code, ...blanks } = sentence;
  return Object.hasOwn(sentences, code) ? sentences[code][language](blanks as never) : code;
}
