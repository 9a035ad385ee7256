import { impossibleValue } from '../fhir/primitive-format.ts'
import { lexicalFault } from '../fhir/reading.ts'
import type { CompileContext } from './compile-context.ts'
import type { ElementType } from './element-type.ts'
import { didYouMean } from './did-you-mean.ts'
import type { Key } from './path.ts'
import type { SourcePath } from './source.ts'

/** Where a path's text stands. */
export interface PathPlace {
  readonly at: SourcePath
  readonly options: { readonly at?: 'key' | 'value' } | undefined
}

/** What the names of a key or of a reference lead to, from an item on. Undefined after a mistake. */
export function follow(
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
export function compileKey(context: CompileContext, key: Key, item: ElementType, place: PathPlace): Key | undefined {
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
