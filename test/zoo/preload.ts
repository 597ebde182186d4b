import { defects } from './defects.ts';

// Imported into every process of a member's stack (NODE_OPTIONS=--import); only API workers answer requests.
if (process.argv[1]?.endsWith('api/worker.ts') === true) {
  const defect = defects.find(({ name }) => name === process.env['ZOO_DEFECT']);
  if (defect && 'tamper' in defect.seed) defect.seed.tamper();
}
