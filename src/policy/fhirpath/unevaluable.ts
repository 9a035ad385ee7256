/** Thrown where an expression comes upon something that it cannot be told of: a rule that cannot be evaluated denies. */
export class Unevaluable extends Error {}
