/** Why nobody may have a password, to be told to whoever chose it; undefined: it is good enough. */
export type PasswordProblem = string | undefined;

/** Whose password it is to be: what anybody might try first. */
export type Person = { readonly email: string; readonly name?: string | undefined; readonly lastname?: string | undefined };

const leastPersonalLength = 4;

/**
 * Whether a password may be chosen: none of the 49,000 most common ones, whatever their case, and nothing that is told by the
 * account itself. Its length is the schema's to check. Nothing is demanded of its kinds of characters.
 * @see https://github.com/OWASP/ASVS/blob/v5.0.0/5.0/en/0x15-V6-Authentication.md V6.2
 */
export async function passwordProblem(password: string, person: Person): Promise<PasswordProblem> {
  const plain = fold(password);
  if ((await commonPasswords()).has(plain)) return 'is one of the most common passwords';
  if (new Set(plain).size < 4) return 'must have at least four different characters';
  const parts = [...person.email.split('@'), person.name ?? '', person.lastname ?? ''].map(fold);
  const told = parts.find((part) => part.length >= leastPersonalLength && plain.includes(part) && plain.length < part.length + 6);
  return told === undefined ? undefined : 'must be more than your name or e-mail address with a few characters';
}

const fold = (text: string): string => text.normalize('NFKC').toLowerCase();

let common: Promise<ReadonlySet<string>> | undefined;

/** Read when somebody first chooses a password: the list takes some megabytes. */
function commonPasswords(): Promise<ReadonlySet<string>> {
  common ??= import('@zxcvbn-ts/language-common').then(({ dictionary }) => new Set(dictionary['passwords-common'].map(String)));
  return common;
}
