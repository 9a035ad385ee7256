import { readResource } from '../fhir/body.ts'
import { codesOfFiles, type Codes } from '../fhir/code-files.ts'
import { definitionsOf } from '../fhir/definitions.ts'
import { childrenOf, type Element, type Resource } from '../fhir/element.ts'
import { defaultBounds } from '../fhir/reading.ts'
import type { FhirRelease } from '../fhir/version.ts'
import type { CompileContext } from './compile-context.ts'
import type { CodeList } from './rule.ts'
import type { SourcePath } from './source.ts'

/**
 * Gives the text of a file that a policy names, by its path relative to the policy file; undefined when there is none; or
 * the sentence that says why it may not be read.
 */
export type ReadBeside = (path: string) => string | { readonly mistake: string } | undefined

export interface CompiledLists {
  readonly lists: ReadonlyMap<string, CodeList>
  /** The texts that the lists were read from, by the paths that the policy gives. */
  readonly texts: ReadonlyMap<string, string>
}

/** Compiles the lists of coded values, from the policy itself and from the files that it names. */
export function compileLists(context: CompileContext, readBeside: ReadBeside): CompiledLists {
  const lists = new Map<string, CodeList>()
  const texts = new Map<string, string>()
  for (const [name, input] of Object.entries(context.input.lists ?? {})) {
    const codes =
      'file' in input
        ? codesFrom(
            context,
            [input.file].flat(),
            (i) => ['lists', name, 'file', ...(Array.isArray(input.file) ? [i] : [])],
            {
              readBeside,
              texts,
            },
          )
        : new Map([input.system].flat().map((system) => [system, new Set(input.codes)]))
    lists.set(name, { name, codes: new Map([...codes].filter(([, listed]) => listed.size > 0)) })
  }
  return { lists, texts }
}

interface Reading {
  readonly readBeside: ReadBeside
  readonly texts: Map<string, string>
}

/** The most that is said of the files of one list. */
const maxMistakes = 20

function codesFrom(
  context: CompileContext,
  paths: readonly string[],
  at: (index: number) => SourcePath,
  reading: Reading,
): Codes {
  let mistakes = 0
  const report = (index: number, message: string) => {
    if (mistakes++ < maxMistakes) context.report(at(index), message)
  }
  const resources = paths.flatMap((path, i) => {
    const resource = resourceFrom(path, context.release, (message) => report(i, message), reading)
    return resource ? [resource] : []
  })
  // Of a list that lacks a file nothing more can be said.
  if (resources.length < paths.length) return new Map()
  const codes = codesOfFiles(resources, report)
  if (mistakes === 0 && [...codes.values()].every((listed) => listed.size === 0)) report(0, 'This list holds no codes.')
  return codes
}

function resourceFrom(
  path: string,
  release: FhirRelease,
  report: (message: string) => void,
  { readBeside, texts }: Reading,
): Resource | undefined {
  const text = texts.get(path) ?? readBeside(path)
  if (typeof text !== 'string') {
    report(text?.mistake ?? `There is no file \`${path}\` beside the policy.`)
    return undefined
  }
  texts.set(path, text)
  const format = /^\s*</.test(text) ? 'xml' : 'json'
  const bytes = new TextEncoder().encode(text)
  // Of whichever version it is: the one that knows all of it. The policy's own is the likeliest.
  const releases = [release, ...(['R4', 'STU3', 'R5'] as const).filter((other) => other !== release)]
  let fault: string | undefined
  for (const one of releases) {
    const read = readResource(bytes, format, definitionsOf(one), defaultBounds)
    if (!read.ok) {
      const { expression, sentence } = read.faults[0]!
      fault ??= expression === undefined ? sentence : `${expression}: ${sentence}`
      continue
    }
    const strange = strangeIn(read.value)
    if (strange === undefined) return read.value
    fault = strange
  }
  report(`This is not a resource that can be read for its codes. ${fault}`)
  return undefined
}

/** What might change the meaning of a resource, and cannot be understood. */
function strangeIn(element: Element): string | undefined {
  if (element.type === undefined) return 'It holds an element that FHIR does not define.'
  for (const name of ['modifierExtension', 'implicitRules']) {
    if (childrenOf(element, name).length > 0) return `It holds \`${name}\`, which may change what it says.`
  }
  for (const { items } of element.children.values()) {
    for (const item of items) {
      const strange = strangeIn(item)
      if (strange !== undefined) return strange
    }
  }
  return undefined
}
