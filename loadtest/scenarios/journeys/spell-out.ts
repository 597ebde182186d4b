type Fields = { readonly [name: string]: unknown };

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The short forms of a file of journeys written out: a list for the steps of a journey, a text for a step, a number for a
 * status, a value for what must equal it, a pointer for what is captured in the body, a list for the rows of a feeder. What
 * is of no form that is known stays as it is, for the schema to name. Pure.
 */
export function spellOut(file: unknown): unknown {
  if (!isFields(file)) return file;
  return {
    ...file,
    ...each(file, 'journeys', (journey) => {
      const spelled = Array.isArray(journey) ? { steps: journey } : journey;
      return isFields(spelled) && Array.isArray(spelled['steps']) ? { ...spelled, steps: spelled['steps'].map(spellStep) } : spelled;
    }),
    ...each(file, 'feeders', (feeder) => (Array.isArray(feeder) ? { rows: feeder } : feeder)),
  };
}

/** One field of an object with `spell` done to each of its members; nothing where it is no object. */
function each(fields: Fields, name: string, spell: (member: unknown) => unknown): Fields {
  const members = fields[name];
  return isFields(members) ? { [name]: Object.fromEntries(Object.entries(members).map(([key, member]) => [key, spell(member)])) } : {};
}

function spellStep(step: unknown): unknown {
  if (typeof step === 'string') return { request: step };
  if (!isFields(step)) return step;
  const { expect } = step;
  return {
    ...step,
    ...each(step, 'capture', (capture) => (typeof capture === 'string' ? { json: capture } : capture)),
    ...(isFields(expect) && { expect: spellExpectation(expect) }),
    ...((typeof expect === 'number' || Array.isArray(expect)) && { expect: { status: [expect].flat() } }),
  };
}

const alone = (value: unknown): unknown => (isFields(value) ? value : { equals: value });

function spellExpectation(expect: Fields): Fields {
  const { status } = expect;
  return {
    ...expect,
    ...(typeof status === 'number' && { status: [status] }),
    ...each(expect, 'json', alone),
    ...each(expect, 'headers', alone),
  };
}
