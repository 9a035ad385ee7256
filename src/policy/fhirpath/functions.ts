/**
 * The functions of FHIRPath that an expression of a policy may call. Whatever is not here is refused when the policy is
 * compiled, so that a new release of the fhirpath package opens nothing by itself.
 * https://hl7.org/fhirpath/#functions, https://hl7.org/fhir/R4/fhirpath.html#functions
 */

/** What a parameter is. `criterion` and `projection` are evaluated for each item, `pattern` and `flags` must be literals. */
export type Parameter = 'criterion' | 'projection' | 'collection' | 'string' | 'pattern' | 'flags' | 'integer' | 'type'

export type SystemType =
  | 'System.Boolean'
  | 'System.String'
  | 'System.Integer'
  | 'System.Decimal'
  | 'System.Date'
  | 'System.DateTime'
  | 'System.Time'

/** What a call gives: `input` what it is called on, `projection` what its parameters give, `both` the two together. */
export type Gives = 'input' | 'projection' | 'both' | 'type' | 'extensions' | 'anything' | SystemType

/**
 * What a call costs beside the evaluation of its parameters: nothing to speak of, each item, each character of a text, each
 * element of the subtrees that are looked through or made anew, or the comparison of every item with every other one.
 */
export type Cost = 'nothing' | 'items' | 'texts' | 'elements' | 'pairs'

export interface FunctionRule {
  readonly gives: Gives
  /** The parameters that it may be called with, for each number of them. */
  readonly parameters: readonly (readonly Parameter[])[]
  readonly cost: Cost
}

const rule = (gives: Gives, cost: Cost, ...parameters: (readonly Parameter[])[]): FunctionRule => ({
  gives,
  cost,
  parameters: parameters.length > 0 ? parameters : [[]],
})

const conversion = (gives: SystemType) => rule(gives, 'texts')
const convertible = rule('System.Boolean', 'texts')

export const functions: ReadonlyMap<string, FunctionRule> = new Map(
  Object.entries({
    empty: rule('System.Boolean', 'nothing'),
    exists: rule('System.Boolean', 'items', [], ['criterion']),
    all: rule('System.Boolean', 'items', ['criterion']),
    allTrue: rule('System.Boolean', 'items'),
    anyTrue: rule('System.Boolean', 'items'),
    allFalse: rule('System.Boolean', 'items'),
    anyFalse: rule('System.Boolean', 'items'),
    not: rule('System.Boolean', 'nothing'),
    hasValue: rule('System.Boolean', 'nothing'),
    count: rule('System.Integer', 'nothing'),

    subsetOf: rule('System.Boolean', 'pairs', ['collection']),
    supersetOf: rule('System.Boolean', 'pairs', ['collection']),
    isDistinct: rule('System.Boolean', 'pairs'),
    distinct: rule('input', 'pairs'),
    union: rule('both', 'pairs', ['collection']),
    intersect: rule('input', 'pairs', ['collection']),
    exclude: rule('input', 'pairs', ['collection']),
    combine: rule('both', 'items', ['collection']),

    where: rule('input', 'items', ['criterion']),
    select: rule('projection', 'items', ['projection']),
    extension: rule('extensions', 'items', ['string']),
    ofType: rule('type', 'items', ['type']),
    as: rule('type', 'nothing', ['type']),
    is: rule('System.Boolean', 'nothing', ['type']),
    single: rule('input', 'nothing'),
    first: rule('input', 'nothing'),
    last: rule('input', 'nothing'),
    tail: rule('input', 'items'),
    skip: rule('input', 'items', ['integer']),
    take: rule('input', 'items', ['integer']),
    children: rule('anything', 'elements'),
    descendants: rule('anything', 'elements'),
    iif: rule('projection', 'nothing', ['criterion', 'projection'], ['criterion', 'projection', 'projection']),

    toBoolean: conversion('System.Boolean'),
    toInteger: conversion('System.Integer'),
    toDecimal: conversion('System.Decimal'),
    toString: conversion('System.String'),
    toDate: conversion('System.Date'),
    toDateTime: conversion('System.DateTime'),
    toTime: conversion('System.Time'),
    convertsToBoolean: convertible,
    convertsToInteger: convertible,
    convertsToDecimal: convertible,
    convertsToString: convertible,
    convertsToDate: convertible,
    convertsToDateTime: convertible,
    convertsToTime: convertible,

    length: rule('System.Integer', 'nothing'),
    indexOf: rule('System.Integer', 'texts', ['string']),
    contains: rule('System.Boolean', 'texts', ['string']),
    startsWith: rule('System.Boolean', 'texts', ['string']),
    endsWith: rule('System.Boolean', 'texts', ['string']),
    matches: rule('System.Boolean', 'texts', ['pattern'], ['pattern', 'flags']),
    matchesFull: rule('System.Boolean', 'texts', ['pattern'], ['pattern', 'flags']),
    replaceMatches: rule('System.String', 'texts', ['pattern', 'string']),
    replace: rule('System.String', 'texts', ['string', 'string']),
    substring: rule('System.String', 'texts', ['integer'], ['integer', 'integer']),
    upper: rule('System.String', 'texts'),
    lower: rule('System.String', 'texts'),
    trim: rule('System.String', 'texts'),
    toChars: rule('System.String', 'texts'),
    split: rule('System.String', 'texts', ['string']),
    join: rule('System.String', 'texts', [], ['string']),

    abs: rule('input', 'nothing'),
    ceiling: rule('System.Integer', 'nothing'),
    floor: rule('System.Integer', 'nothing'),
    round: rule('System.Decimal', 'nothing', [], ['integer']),
    truncate: rule('System.Integer', 'nothing'),
  } satisfies Record<string, FunctionRule>),
)

const clock = 'A judge has no clock: the same change gets the same verdict on every day.'
const terminology = 'It asks a terminology server: name the codes in a list of the policy, and ask for `coded`.'
const growing = 'What it gathers can grow with every item that it visits.'
const inexact = 'It gives numbers that are not exact.'
const profile = 'It looks into a profile, and the gateway has none.'
const recoding = 'It makes long texts of short ones, and no condition needs them.'

/** Why a function that FHIRPath or FHIR has is not offered. */
export const refusedFunctions: ReadonlyMap<string, string> = new Map(
  Object.entries({
    repeat: 'It asks its own answers again, without a bound: name the elements, or use `descendants()`.',
    aggregate: growing,
    sum: growing,
    min: growing,
    max: growing,
    avg: growing,
    defineVariable: `${growing} Write the expression out.`,
    trace: 'It writes to a log, where nothing of a record may go.',
    sort: 'It puts items in another order, on which no condition should depend.',
    coalesce: 'Use `iif`.',
    resolve: 'It fetches another resource: a judge looks at the resource before and after, and at nothing else.',
    memberOf: terminology,
    subsumes: terminology,
    subsumedBy: terminology,
    conformsTo: profile,
    elementDefinition: profile,
    slice: profile,
    checkModifiers: profile,
    weight: terminology,
    ordinal: terminology,
    now: clock,
    today: clock,
    timeOfDay: clock,
    toQuantity: 'It converts units: compare quantities of one unit, or their values.',
    convertsToQuantity: 'It converts units: compare quantities of one unit, or their values.',
    comparable: 'It converts units: compare quantities of one unit, or their values.',
    toLong: 'Use `toInteger`.',
    convertsToLong: 'Use `convertsToInteger`.',
    exp: inexact,
    ln: inexact,
    log: inexact,
    power: inexact,
    sqrt: inexact,
    lowBoundary: inexact,
    highBoundary: inexact,
    encode: recoding,
    decode: recoding,
    escape: recoding,
    unescape: recoding,
    htmlChecks: 'It reads HTML on its own.',
    lastIndexOf: 'It can take as long as two texts multiplied: use `indexOf`, `endsWith` or `matches`.',
    type: 'Use `is` or `ofType`.',
  }),
)
