/** Of every monitor that tests start. */
export const operatorPassword = 'operators-of-the-tests';

/** What a program of an operator sends along. */
export const asOperator = { authorization: `Bearer ${operatorPassword}` } as const;
