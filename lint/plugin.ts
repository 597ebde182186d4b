import { dirname, relative, resolve } from 'node:path';
import { fenceAround, statementProblem, wallBetween } from './house.ts';

/** What this plugin uses of oxlint's rule API, which is ESLint's. @see https://oxc.rs/docs/guide/usage/linter/js-plugins */
type Context = { readonly filename: string; readonly report: (problem: { message: string; node: unknown }) => void };
type Source = { readonly source?: { readonly type?: string; readonly value?: unknown } | null };

const root = resolve(import.meta.dirname, '..');

/** The file an import means, from the top of the repository; undefined for a package or a part of Node. */
function resolveInside(filename: string, specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('/')) return relative(root, resolve(dirname(filename), specifier));
  // `imports` of package.json gives each program its own name.
  return specifier.startsWith('#') ? specifier.slice(1) : undefined;
}

const walls = {
  create(context: Context) {
    const importer = relative(root, context.filename);
    const check = (node: Source): void => {
      const specifier = node.source?.value;
      if (typeof specifier !== 'string') return;
      const imported = resolveInside(context.filename, specifier);
      const message = imported === undefined ? fenceAround(importer, specifier) : wallBetween(importer, imported);
      if (message !== undefined) context.report({ message, node });
    };
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
      TSImportType: check,
    };
  },
};

type Text = { readonly value?: unknown };

const statements = {
  create(context: Context) {
    const file = relative(root, context.filename);
    const check = (node: Text): void => {
      const text = typeof node.value === 'string' ? node.value : (node.value as { cooked?: unknown } | null)?.cooked;
      const message = typeof text === 'string' ? statementProblem(file, text) : undefined;
      if (message !== undefined) context.report({ message, node });
    };
    return { Literal: check, TemplateElement: check };
  },
};

export default { meta: { name: 'house' }, rules: { walls, statements } };
