/**
 * Element paths of the policy language: FHIRPath's notation, restricted to what can be found without evaluating.
 *
 *     status · code.coding · extension('https://…').extension('removalReason') · contained.ofType(Provenance)
 *     $condition.clinicalStatus · entry[item.reference refers to $condition].deleted · $this
 *     parameter('removerarecord').part('reason').valueString
 */
export interface Path {
  /** The path as the policy file has it. */
  readonly text: string
  /** `$this` (what the part, or the condition, is about), `$resource` (the whole), or a variable bound before. */
  readonly root: string
  readonly steps: readonly Step[]
}

export interface Step {
  /** Element name as in FHIR JSON: `status`, `extension`, `valueString`. */
  readonly name: string
  /** `extension('…')`: only the items with this url; `parameter('…')`, `part('…')`: only those with one of these names. */
  readonly slice?: Slice
  /** `.ofType(…)`: only resources of this type. */
  readonly type?: string
  /** `[… refers to $…]`: only the items in which a reference names what the variable is bound to. */
  readonly selector?: Selector
}

/** The items of a list that have one of these values in their key. The key is accounted for by that. */
export interface Slice {
  readonly key: 'url' | 'name'
  readonly values: readonly string[]
}

/** What tells the items of a list apart, for the lists that FHIR means to be sliced. */
export const sliceKeys: Readonly<Record<string, Slice['key']>> = {
  extension: 'url',
  modifierExtension: 'url',
  parameter: 'name',
  part: 'name',
}

export interface Selector {
  /** The names from the item down to the reference's text: `item`, `reference`. */
  readonly names: readonly string[]
  readonly variable: string
}

/** What is wrong with a path; `word` is the part of the text concerned. */
export class PathError extends Error {
  readonly word: string | undefined
  constructor(message: string, word?: string) {
    super(message)
    this.name = 'PathError'
    this.word = word
  }
}

const token =
  /\$[A-Za-z][A-Za-z0-9-]*|ofType\(\s*([A-Za-z]+)\s*\)|(extension|modifierExtension|parameter|part)\(\s*('[^']*'(?:\s*,\s*'[^']*')*)\s*\)|\[\s*([A-Za-z]+(?:\.[A-Za-z]+)*)\s+refers to\s+(\$[A-Za-z][A-Za-z0-9-]*)\s*\]|[A-Za-z][A-Za-z0-9]*|\./y

/**
 * Reads a path.
 * @throws {PathError} when the text is not one
 */
export function parsePath(text: string): Path {
  const steps: Step[] = []
  let root = '$this'
  let expectStep = true
  token.lastIndex = 0
  while (token.lastIndex < text.length) {
    const start = token.lastIndex
    const found = token.exec(text)
    if (!found) throw new PathError(`\`${text}\` cannot be read from \`${text.slice(start)}\` on.`, text.slice(start))
    const [word, type, sliced, values, selectorPath, selectorVariable] = found
    if (word === '.') {
      if (expectStep) throw new PathError(`\`${text}\` has a dot where an element name belongs.`, text.slice(start))
      expectStep = true
      continue
    }
    const last = steps.at(-1)
    if (selectorPath !== undefined && selectorVariable !== undefined) {
      if (expectStep || !last || last.selector) throw new PathError(`\`${word}\` must follow an element name.`, word)
      steps[steps.length - 1] = { ...last, selector: { names: selectorPath.split('.'), variable: selectorVariable } }
      continue
    }
    if (!expectStep) throw new PathError(`\`${text}\` lacks a dot before \`${word}\`.`, word)
    expectStep = false
    if (type !== undefined) {
      if (!last || last.type) throw new PathError(`\`${word}\` must follow an element name.`, word)
      steps[steps.length - 1] = { ...last, type }
    } else if (sliced !== undefined && values !== undefined) {
      const key = sliceKeys[sliced]!
      steps.push({ name: sliced, slice: { key, values: [...values.matchAll(/'([^']*)'/g)].map((value) => value[1]!) } })
    } else if (word.startsWith('$')) {
      if (start > 0) throw new PathError(`\`${word}\` can only stand at the start of a path.`, word)
      root = word
    } else {
      steps.push({ name: word })
    }
  }
  if (expectStep) throw new PathError(text === '' ? 'The path is empty.' : `\`${text}\` ends with a dot.`, text)
  return { text, root, steps }
}
