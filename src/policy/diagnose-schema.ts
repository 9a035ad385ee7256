import type { z } from 'zod'
import { bounds } from './bounds.ts'
import { didYouMean } from './did-you-mean.ts'
import { sentence, valueAt, type Diagnostic, type Source, type SourcePath } from './source.ts'

/** Everything that a schema finds wrong with a source, as diagnostics. */
export function diagnoseSchema(source: Source, error: z.ZodError, root: z.ZodType): Diagnostic[] {
  const diagnostics: Diagnostic[] = []
  const visit = (issue: z.core.$ZodIssue, prefix: SourcePath) => {
    const path = [...prefix, ...issue.path]
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        const known = keysAt(root, source.data, path)
        // A setting of another of several shapes.
        const message = known.includes(key)
          ? `\`${key}\` does not go with the settings beside it.`
          : `There is no setting \`${key}\` here.${didYouMean(key, known) || possible(known)}`
        diagnostics.push(source.diagnose([...path, key], message, { at: 'key' }))
      }
      return
    }
    if (issue.code === 'invalid_union' && issue.errors.length > 0) {
      // The branch that fits best is the one that was meant: its mistakes are the ones to tell.
      const branches = [...issue.errors].sort((a, b) => depthOf(b) - depthOf(a) || a.length - b.length)
      const best = branches[0]!
      if (depthOf(best) > 0 || best.some((inner) => inner.code === 'unrecognized_keys' || inner.code === 'custom')) {
        for (const inner of best) visit(inner, path)
        return
      }
      const expected = [...new Set(issue.errors.flat().map(expectation))].join(', or ')
      diagnostics.push(source.diagnose(path, `Expected ${expected}.`))
      return
    }
    if (issue.code === 'invalid_key') {
      const key = String(path.at(-1))
      const [why] = issue.issues
      const hint = why?.code === 'invalid_value' ? didYouMean(key, why.values.map(String)) : ''
      const message = why && hint === '' ? `Expected ${expectation(why)}.` : `There is no \`${key}\` here.${hint}`
      diagnostics.push(source.diagnose(path, message, { at: 'key' }))
      return
    }
    if (issue.code === 'invalid_type' && issue.input === undefined && path.length > 0 && missing(source.data, path)) {
      const key = String(path.at(-1))
      diagnostics.push(
        source.diagnose(path.slice(0, -1), `\`${key}\` is missing: expected ${expectation(issue)}.`, { at: 'key' }),
      )
      return
    }
    const message = issue.code === 'custom' ? sentence(issue.message) : `Expected ${expectation(issue)}.`
    diagnostics.push(source.diagnose(path, message + hintOn(issue, valueAt(source.data, path))))
  }
  for (const issue of error.issues.slice(0, bounds.mistakes)) visit(issue, [])
  return diagnostics
}

const possible = (known: readonly string[]) =>
  known.length === 0 ? '' : ` Possible: ${[...new Set(known)].join(', ')}.`

const depthOf = (issues: readonly z.core.$ZodIssue[]) => Math.max(...issues.map((issue) => issue.path.length))

function hintOn(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code === 'invalid_value') return didYouMean(String(value), issue.values.map(String))
  const isUnquoted = issue.code === 'invalid_type' && issue.expected === 'string' && typeof value === 'number'
  if (!isUnquoted || ownExpectation(issue) !== undefined) return ''
  return ' YAML takes this for a number: write it in quotation marks.'
}

/** What the schema itself says that it expects here. */
const ownExpectation = ({ message }: z.core.$ZodIssue) => /^Expected (.*)\.$/s.exec(message)?.[1]

function missing(data: unknown, path: SourcePath): boolean {
  let value = data
  for (const step of path) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, step)) return true
    value = (value as Record<PropertyKey, unknown>)[step]
  }
  return false
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping of keys to values',
  record: 'a mapping of keys to values',
  null: 'nothing',
}

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return ownExpectation(issue) ?? typeNames[issue.expected] ?? `a value of type ${issue.expected}`
    case 'invalid_value':
      return issue.values.length === 1
        ? `\`${String(issue.values[0])}\``
        : `one of ${issue.values.map((value) => `\`${String(value)}\``).join(', ')}`
    case 'too_small':
      return issue.origin === 'array' || issue.origin === 'set'
        ? `at least ${issue.minimum} ${issue.minimum === 1 ? 'item' : 'items'}`
        : issue.origin === 'string'
          ? 'a text that is not empty'
          : `at least ${issue.minimum}`
    case 'too_big':
      return `at most ${issue.maximum}`
    case 'unrecognized_keys':
      return `no setting ${issue.keys.map((key) => `\`${key}\``).join(', ')}`
    default:
      return issue.message ? issue.message.replace(/\.$/, '') : 'another value'
  }
}

/** The keys that the schema knows at a path, for a suggestion; empty where it cannot be told. */
function keysAt(schema: z.ZodType, data: unknown, path: SourcePath): string[] {
  const def = (schema as unknown as { def: SchemaDef }).def
  const deeper = (inner: z.ZodType) => keysAt(inner, data, path)
  switch (def.type) {
    case 'object': {
      const shape = def.shape ?? {}
      if (path.length === 0) return Object.keys(shape)
      const next = shape[String(path[0])]
      return next ? keysAt(next, data, path.slice(1)) : []
    }
    case 'record':
      if (path.length === 0) return Object.values((def.keyType as { def: SchemaDef } | undefined)?.def.entries ?? {})
      return def.valueType ? keysAt(def.valueType, data, path.slice(1)) : []
    case 'array':
      return path.length > 0 && def.element ? keysAt(def.element, data, path.slice(1)) : []
    case 'union':
      return (def.options ?? []).flatMap(deeper)
    case 'lazy':
      return def.getter ? deeper(def.getter()) : []
    case 'optional':
    case 'default':
    case 'prefault':
    case 'nullable':
    case 'readonly':
      return def.innerType ? deeper(def.innerType) : []
    case 'pipe':
      return def.in ? deeper(def.in) : []
    default:
      return []
  }
}

interface SchemaDef {
  readonly type: string
  readonly shape?: Readonly<Record<string, z.ZodType>>
  readonly keyType?: unknown
  /** Of an enumeration. */
  readonly entries?: Readonly<Record<string, string>>
  readonly valueType?: z.ZodType
  readonly element?: z.ZodType
  readonly options?: readonly z.ZodType[]
  readonly getter?: () => z.ZodType
  readonly innerType?: z.ZodType
  readonly in?: z.ZodType
}
