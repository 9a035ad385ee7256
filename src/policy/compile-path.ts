import { impossibleValue } from '../fhir/primitive-format.ts'
import { lexicalFault } from '../fhir/reading.ts'
import type { CompileContext, Scope } from './compile-context.ts'
import type { ElementType } from './element-type.ts'
import { didYouMean } from './did-you-mean.ts'
import { parsePath, PathError, type Key, type Path, type Step } from './path.ts'
import type { SourcePath } from './source.ts'

/** Where a path's text stands. */
export interface PathPlace {
  readonly at: SourcePath
  readonly options: { readonly at?: 'key' | 'value' } | undefined
}

/** A path that has been checked, with what it leads to and what that is an element of. */
export interface CompiledPath {
  readonly path: Path
  readonly end: ElementType
  readonly parent: ElementType
}

/** Reads a path and checks its elements against the FHIR version. Undefined after a mistake. */
export function compilePath(
  context: CompileContext,
  text: string,
  scope: Scope,
  { at, options }: PathPlace,
): CompiledPath | undefined {
  let path: Path
  try {
    path = parsePath(text)
  } catch (error) {
    if (!(error instanceof PathError)) throw error
    context.report(at, error.message, { ...options, ...(error.word ? { word: error.word } : {}) })
    return undefined
  }
  const root = context.variable(path.root, at, scope, options)
  if (!root) return undefined
  let end: ElementType = root
  let parent: ElementType = root
  const steps: Step[] = []
  let repeats = false
  for (const step of path.steps) {
    const child = context.definitions.child(end.definition, step.name)
    if (!child) {
      const known = context.definitions.childNames(end.definition)
      const choices = context.definitions.choices(end.definition, step.name)
      const hint = choices.length > 0 ? ` Name its type: \`${choices[0]}\` …` : didYouMean(step.name, known)
      const subject = end.type === 'Resource' ? 'A resource of unknown type' : end.definition
      context.report(at, `${subject} has no element \`${step.name}\`.${hint}`, { ...options, word: step.name })
      return undefined
    }
    parent = end
    end = child
    repeats ||= child.repeats
    if (step.type !== undefined) {
      if (!context.definitions.isResource(step.type)) {
        context.report(at, `FHIR ${context.input.fhir} has no resource type \`${step.type}\`.`, {
          ...options,
          word: step.type,
        })
        return undefined
      }
      if (!context.definitions.holdsResource(child.type)) {
        context.report(at, `\`${step.name}\` holds no resources: \`ofType\` does not apply.`, {
          ...options,
          word: 'ofType',
        })
        return undefined
      }
      end = { definition: step.type, type: step.type }
    }
    if (step.selector) {
      context.variable(step.selector.variable, at, scope, options)
      if (!follow(context, step.selector.names, end, { at, options })) return undefined
    }
    const keys = step.keys.map((key) => compileKey(context, key, end, { at, options }))
    if (keys.includes(undefined)) return undefined
    steps.push({ ...step, keys: keys as Key[] })
  }
  return { path: { ...path, steps, repeats }, end, parent }
}

/** What the names of a key or of a reference lead to, from an item on. Undefined after a mistake. */
function follow(
  context: CompileContext,
  names: readonly string[],
  item: ElementType,
  { at, options }: PathPlace,
): { end: ElementType; repeats: boolean } | undefined {
  let end = item
  let repeats = false
  for (const name of names) {
    const next = context.definitions.child(end.definition, name)
    if (!next) {
      const hint = didYouMean(name, context.definitions.childNames(end.definition))
      context.report(at, `${end.definition} has no element \`${name}\`.${hint}`, { ...options, word: name })
      return undefined
    }
    end = next
    repeats ||= next.repeats
  }
  return { end, repeats }
}

/** A key, completed with what its names lead to. Undefined after a mistake. */
function compileKey(context: CompileContext, key: Key, item: ElementType, place: PathPlace): Key | undefined {
  const found = follow(context, key.names, item, place)
  if (!found) return undefined
  const { end, repeats } = found
  const name = key.names.join('.')
  const mistake = (message: string) => {
    context.report(place.at, message, { ...place.options, word: key.names.length === 1 ? name : key.names.at(-1)! })
    return undefined
  }
  if (context.definitions.isPrimitive(end.type)) {
    const [impossible] = key.values.filter((value) => !isPossible(context, end.type, value))
    if (impossible !== undefined) return mistake(`\`${impossible}\` is no ${end.type}: nothing would be selected.`)
    return { ...key, repeats }
  }
  if (end.type !== 'Coding' && end.type !== 'CodeableConcept') {
    return mistake(`\`${name}\` is a ${end.type}: items are told apart by a primitive, a Coding or a CodeableConcept.`)
  }
  const [, system, code] = /^([^|\s]+)\|(\S(?:.*\S)?)$/.exec(key.values[0]!) ?? []
  if (system === undefined || code === undefined) {
    return mistake(`\`${name}\` is a ${end.type}: it is compared with \`'system|code'\`.`)
  }
  return { ...key, of: end.type, system, values: [code], repeats: repeats || end.type === 'CodeableConcept' }
}

function isPossible({ definitions }: CompileContext, type: string, text: string): boolean {
  return lexicalFault(definitions, type, text) === undefined && impossibleValue(type, text) === undefined
}
