import { childrenOf, textOf, type Element, type Resource } from './element.ts'

/** Coded values: by system, the codes. */
export type Codes = ReadonlyMap<string, ReadonlySet<string>>

/** Tells what is wrong with one of the files, by its index. */
export type ReportFile = (index: number, message: string) => void

/**
 * The codes that CodeSystem and ValueSet resources come to. With a ValueSet among them, the code systems and the value sets
 * that it includes are there for it alone; else the codes of all code systems count. What cannot be told from the files
 * alone is a mistake, never a guess: a part of a code system, a filter, an include whose file is not there. A concept that
 * is not selectable is no coded value.
 *
 * https://hl7.org/fhir/R4/codesystem.html, https://hl7.org/fhir/R4/valueset.html#compositions
 */
export function codesOfFiles(resources: readonly Resource[], report: ReportFile): Codes {
  const files = new CodeFiles(resources, report)
  const valueSets = resources.flatMap(({ type }, i) => (type === 'ValueSet' ? [i] : []))
  const codeSystems = resources.flatMap(({ type }, i) => (type === 'CodeSystem' ? [i] : []))
  resources.forEach(({ type }, i) => {
    if (type !== 'ValueSet' && type !== 'CodeSystem')
      report(i, `Expected a CodeSystem or a ValueSet: this is a ${type}.`)
  })
  if (valueSets.length === 0) return union(codeSystems.map((i) => files.codeSystem(i)))
  const codes = valueSets.map((i) => [i, files.valueSet(i)] as const)
  const roots = codes.filter(([i]) => !files.included.has(i))
  for (const i of codeSystems) {
    if (!files.included.has(i)) report(i, 'No value set of this list includes this CodeSystem.')
  }
  return union(roots.map(([, own]) => own))
}

const none: Codes = new Map()

class CodeFiles {
  /** What another one includes. */
  readonly included = new Set<number>()
  readonly #resources: readonly Resource[]
  readonly #report: ReportFile
  readonly #known = new Map<number, Codes>()
  readonly #open = new Set<number>()
  readonly #byUrl = new Map<string, number>()

  constructor(resources: readonly Resource[], report: ReportFile) {
    this.#resources = resources
    this.#report = report
    resources.forEach((resource, i) => {
      const url = textOf(resource, 'url')
      if (url === undefined) return
      const key = `${resource.type} ${url}`
      if (this.#byUrl.has(key)) report(i, `There are two files of the ${resource.type} \`${url}\`.`)
      this.#byUrl.set(key, i)
    })
  }

  codeSystem(index: number): Codes {
    return this.#once(index, () => {
      const resource = this.#resources[index]!
      const url = textOf(resource, 'url')
      const content = textOf(resource, 'content')
      if (url === undefined) return this.#mistake(index, 'This CodeSystem has no `url`: its codes belong to no system.')
      if (content !== 'complete') {
        const is = content === undefined ? 'does not say that its content is' : `is \`${content}\`, not`
        return this.#mistake(index, `This CodeSystem ${is} \`complete\`: not all of its codes are in the file.`)
      }
      const abstract = abstractProperties(resource)
      const codes = new Set<string>()
      for (const concept of nested(resource, 'concept')) {
        const code = this.#code(index, concept)
        if (code !== undefined && !isAbstract(concept, abstract)) codes.add(code)
      }
      return new Map([[url, codes]])
    })
  }

  valueSet(index: number): Codes {
    return this.#once(index, () => {
      const resource = this.#resources[index]!
      const [expansion] = childrenOf(resource, 'expansion')
      if (expansion) return this.#expansion(index, expansion)
      const [compose] = childrenOf(resource, 'compose')
      if (!compose) return this.#mistake(index, 'This ValueSet has neither `compose` nor `expansion`.')
      if (textOf(compose, 'inactive') === 'false') {
        return this.#mistake(
          index,
          '`compose.inactive` is false: which codes are inactive cannot be told. List the concepts.',
        )
      }
      const includes = childrenOf(compose, 'include').map((include) => this.#include(index, include, 'includes'))
      const codes = new Map([...union(includes)].map(([system, listed]) => [system, new Set(listed)]))
      for (const exclude of childrenOf(compose, 'exclude')) this.#exclude(index, exclude, codes)
      return codes
    })
  }

  /** What a server has made of `compose`: it goes before it. */
  #expansion(index: number, expansion: Element): Codes {
    const codes = new Map<string, Set<string>>()
    let count = 0
    for (const item of nested(expansion, 'contains')) {
      const system = textOf(item, 'system')
      const code = textOf(item, 'code')
      if (code === undefined) continue
      count++
      if (system === undefined) return this.#mistake(index, `\`${code}\` of the expansion has no system.`)
      if (textOf(item, 'abstract') === 'true') continue
      const listed = codes.get(system)
      if (listed) listed.add(code)
      else codes.set(system, new Set([code]))
    }
    const total = Number(textOf(expansion, 'total') ?? count)
    const extensions = childrenOf(expansion, 'extension').map((extension) => textOf(extension, 'url'))
    const limited = childrenOf(expansion, 'parameter').some(
      (parameter) => textOf(parameter, 'name') === 'limitedExpansion' && textOf(parameter, 'valueBoolean') === 'true',
    )
    if (total > count || limited || extensions.some((url) => partialExpansions.has(url ?? ''))) {
      return this.#mistake(index, 'The expansion of this ValueSet does not hold all of its codes.')
    }
    return codes
  }

  /** `include` and `exclude`: concepts of a system, a whole system, and what is in every one of some value sets. */
  #include(index: number, include: Element, verb: 'includes' | 'excludes'): Codes {
    if (include.children.has('filter')) {
      return this.#mistake(index, `This ValueSet ${verb} by a filter, which cannot be evaluated. List the concepts.`)
    }
    const system = textOf(include, 'system')
    const parts: Codes[] = []
    if (system !== undefined) parts.push(this.#ofSystem(index, include, system, verb))
    for (const canonical of childrenOf(include, 'valueSet')) {
      const imported = this.#file('ValueSet', canonical.value?.text ?? '')
      if (imported === undefined) {
        return this.#mistake(
          index,
          `This ValueSet ${verb} the ValueSet \`${canonical.value?.text}\`: name its file, too.`,
        )
      }
      parts.push(this.valueSet(imported))
    }
    if (parts.length === 0) return this.#mistake(index, `This ValueSet ${verb} something without a system.`)
    return parts.reduce(intersection)
  }

  #ofSystem(index: number, include: Element, system: string, verb: string): Codes {
    const version = textOf(include, 'version')
    const file = this.#file('CodeSystem', version === undefined ? system : `${system}|${version}`)
    const whole = file === undefined ? undefined : this.codeSystem(file).get(system)
    const concepts = childrenOf(include, 'concept')
    if (concepts.length === 0) {
      return whole
        ? new Map([[system, whole]])
        : this.#mistake(index, `This ValueSet ${verb} all of \`${system}\`: name the file of that CodeSystem, too.`)
    }
    const codes = new Set(concepts.flatMap((concept) => this.#code(index, concept) ?? []))
    for (const code of codes) {
      if (whole && !whole.has(code)) this.#report(index, `\`${code}\` is not a code of the file of \`${system}\`.`)
    }
    return new Map([[system, codes]])
  }

  #exclude(index: number, exclude: Element, codes: Map<string, Set<string>>): void {
    const system = textOf(exclude, 'system')
    if (system !== undefined && ['filter', 'concept', 'valueSet'].every((name) => !exclude.children.has(name))) {
      codes.delete(system)
      return
    }
    for (const [from, excluded] of this.#include(index, exclude, 'excludes')) {
      for (const code of excluded) codes.get(from)?.delete(code)
    }
  }

  /** The file of a canonical, `url` or `url|version`. */
  #file(type: 'CodeSystem' | 'ValueSet', canonical: string): number | undefined {
    const [url, version] = canonical.split('|')
    const index = this.#byUrl.get(`${type} ${url}`)
    if (index === undefined) return undefined
    const own = textOf(this.#resources[index]!, 'version')
    if (version !== undefined && own !== version) {
      this.#report(index, `This is version \`${own ?? ''}\` of the ${type}: version \`${version}\` is included.`)
    }
    this.included.add(index)
    return index
  }

  #code(index: number, concept: Element): string | undefined {
    const code = textOf(concept, 'code')
    if (code === undefined) this.#report(index, 'A concept has no code.')
    return code
  }

  #once(index: number, read: () => Codes): Codes {
    const known = this.#known.get(index)
    if (known) return known
    if (this.#open.has(index)) return this.#mistake(index, 'This ValueSet includes itself.')
    this.#open.add(index)
    const codes = read()
    this.#open.delete(index)
    this.#known.set(index, codes)
    return codes
  }

  #mistake(index: number, message: string): Codes {
    this.#report(index, message)
    return none
  }
}

/** https://hl7.org/fhir/R4/valueset-extensions.html */
const partialExpansions: ReadonlySet<string> = new Set([
  'http://hl7.org/fhir/StructureDefinition/valueset-toocostly',
  'http://hl7.org/fhir/StructureDefinition/valueset-unclosed',
])

/** https://hl7.org/fhir/R4/codesystem-concept-properties.html */
const notSelectable = 'http://hl7.org/fhir/concept-properties#notSelectable'

function abstractProperties(codeSystem: Resource): ReadonlySet<string | undefined> {
  const declared = childrenOf(codeSystem, 'property').filter((property) => textOf(property, 'uri') === notSelectable)
  return new Set(['notSelectable', ...declared.map((property) => textOf(property, 'code'))])
}

function isAbstract(concept: Element, properties: ReadonlySet<string | undefined>): boolean {
  return childrenOf(concept, 'property').some(
    (property) => properties.has(textOf(property, 'code')) && textOf(property, 'valueBoolean') === 'true',
  )
}

/** All items of a name that repeats within itself: concepts of concepts. */
function* nested(element: Element, name: string): Generator<Element> {
  for (const item of childrenOf(element, name)) {
    yield item
    yield* nested(item, name)
  }
}

function union(all: readonly Codes[]): Codes {
  const codes = new Map<string, Set<string>>()
  for (const some of all) {
    for (const [system, listed] of some) {
      const known = codes.get(system)
      if (known) for (const code of listed) known.add(code)
      else codes.set(system, new Set(listed))
    }
  }
  return codes
}

function intersection(a: Codes, b: Codes): Codes {
  return new Map(
    [...a].map(([system, codes]) => [system, new Set([...codes].filter((code) => b.get(system)?.has(code)))]),
  )
}
