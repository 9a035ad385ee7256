import { isFormatParameter, readQuery } from './target.ts'

/** Parameters that say how a search is answered, not what it finds: they have no meaning in criteria. */
const resultParameters = new Set([
  '_contained',
  '_containedType',
  '_count',
  '_elements',
  '_graph',
  '_include',
  '_offset',
  '_revinclude',
  '_score',
  '_sort',
  '_summary',
  '_total',
])

/** With modifiers and chains: `subject:Patient.name`, `_has:Group:member:_id`. */
const parameterName = /^[A-Za-z_][A-Za-z0-9_-]*(?:[:.][A-Za-z_][A-Za-z0-9_-]*)*$/

/** Whether a query asks for nothing but a format. */
export function isFormatOnly(query: string): boolean {
  return readQuery(query)?.every(([name]) => isFormatParameter(name)) ?? false
}

/** Parameters that say which resources are answered, not how much of each: other names with `_` may have parts left out. */
const selecting = new Set([
  '_at',
  '_content',
  '_count',
  '_filter',
  '_has',
  '_id',
  '_include',
  '_language',
  '_lastUpdated',
  '_list',
  '_offset',
  '_profile',
  '_revinclude',
  '_security',
  '_since',
  '_sort',
  '_source',
  '_tag',
  '_text',
  '_total',
  '_type',
])

/**
 * Whether a search or a history asks for resources as they are, and not for parts of them. A link to a page does not tell what
 * the search had asked for.
 */
export function asksForWhole(query: string): boolean {
  return (
    readQuery(query)?.every(
      ([name]) => isFormatParameter(name) || !name.startsWith('_') || selecting.has(name.split(/[:.]/)[0]!),
    ) ?? false
  )
}

/**
 * The criteria of a conditional interaction, written anew, or a sentence that says what is wrong with them.
 * https://hl7.org/fhir/R4/http.html#cond-update
 * @param query percent-encoded, without `?`; `_format` and `_pretty` are left out
 */
export function readCriteria(query: string): { readonly criteria: string } | { readonly sentence: string } {
  if (!/^[\x21-\x7e]*$/.test(query)) return { sentence: 'The criteria are not percent-encoded.' }
  const parameters = readQuery(query)?.filter(([name]) => !isFormatParameter(name))
  if (!parameters) return { sentence: 'The criteria are not percent-encoded UTF-8.' }
  if (parameters.length === 0)
    return { sentence: 'Criteria are missing: a conditional interaction needs search parameters.' }
  for (const [name, value] of parameters) {
    const plain = name.split(/[:.]/)[0]!
    if (!parameterName.test(name)) return { sentence: 'The criteria hold a name that no search parameter has.' }
    if (resultParameters.has(plain) || plain.startsWith('_getpages')) {
      return { sentence: 'The criteria hold a parameter that says how a search is answered; leave it out.' }
    }
    if (value === '') return { sentence: 'The criteria hold a parameter without a value: it would match everything.' }
  }
  return {
    criteria: parameters.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&'),
  }
}

/**
 * The criteria of If-None-Exist, which holds a query, perhaps with `?` or `[type]?` in front.
 * https://hl7.org/fhir/R4/http.html#ccreate
 */
export function readIfNoneExist(
  value: string,
  type: string,
): { readonly criteria: string } | { readonly sentence: string } {
  const query = value.replace(/^[ \t]+|[ \t]+$/g, '')
  const front = [`${type}?`, '?'].find((prefix) => query.startsWith(prefix)) ?? ''
  return readCriteria(query.slice(front.length))
}
