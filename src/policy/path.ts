import { bounds } from './bounds.ts'

/**
 * Element paths of the policy language: FHIRPath's notation, restricted to what can be found without evaluating.
 *
 *     status · code.coding · extension('https://…').extension('removalReason') · contained.ofType(Provenance)
 *     $condition.clinicalStatus · entry[item.reference refers to $condition].deleted · $this
 *     parameter('removerarecord').part('reason').valueString
 *     identifier[system = 'https://…'].value · category[coding = 'https://…|code'] · telecom[system = 'phone'][use = 'home']
 */
export interface Path {
  /** The path as the policy file has it. */
  readonly text: string
  /** `$this` (what the part, or the condition, is about), `$resource` (the whole), or a variable bound before. */
  readonly root: string
  readonly steps: readonly Step[]
  /** It may select several elements of what it starts at. */
  readonly repeats: boolean
}

export interface Step {
  /** Element name as in FHIR JSON: `status`, `extension`, `valueString`. */
  readonly name: string
  /**
   * Only the items that have all of these: `extension('…')`, `parameter('…')`, `part('…')`, `[system = '…']`,
   * `[coding = 'system|code']`.
   */
  readonly keys: readonly Key[]
  /** `.ofType(…)`: only resources of this type. */
  readonly type?: string
  /** `[… refers to $…]`: only the items in which a reference names what the variable is bound to. */
  readonly selector?: Selector
}

/** The items of a list in which an element has one of these values. What they are chosen by is accounted for by that. */
export interface Key {
  /** The names from the item down to the element: `url`; `type`, `coding`. */
  readonly names: readonly string[]
  /** The texts, or the codes. */
  readonly values: readonly string[]
  /** What the names lead to: a value; a Coding; a CodeableConcept, of which any coding counts. */
  readonly of: 'value' | 'Coding' | 'CodeableConcept'
  /** The system of the codes. */
  readonly system?: string
  /** An item may have several values in its key, so that different ones do not exclude each other. */
  readonly repeats: boolean
}

/** What tells the items of a list apart, for the lists that FHIR means to be sliced. */
export const sliceKeys: Readonly<Record<string, 'url' | 'name'>> = {
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

const names = '[A-Za-z][A-Za-z0-9]*(?:\\.[A-Za-z][A-Za-z0-9]*)*'
const variable = '\\$[A-Za-z][A-Za-z0-9-]*'
const token = new RegExp(
  [
    variable,
    'ofType\\(\\s*(?<type>[A-Za-z]+)\\s*\\)',
    "(?<slice>extension|modifierExtension|parameter|part)\\(\\s*(?<slices>'[^']*'(?:\\s*,\\s*'[^']*')*)\\s*\\)",
    `\\[\\s*(?<reference>${names})\\s+refers to\\s+(?<variable>${variable})\\s*\\]`,
    `\\[\\s*(?<key>${names})\\s*=\\s*'(?<value>[^']*)'\\s*\\]`,
    '[A-Za-z][A-Za-z0-9]*',
    '\\.',
  ].join('|'),
  'y',
)
const unquoted = new RegExp(`\\[\\s*(${names})\\s*=\\s*"?([^'"\\]]*)"?\\s*\\]`, 'y')

/**
 * Reads a path. What its names lead to is not known yet: all of it may repeat, and each key is taken for a value.
 * @throws {PathError} when the text is not one
 */
export function parsePath(text: string): Path {
  if (text.length > bounds.path) throw new PathError(`A path has ${bounds.path} characters at most.`)
  const steps: Step[] = []
  let root = '$this'
  let expectStep = true
  let at = 0
  /** What follows an element narrows what the step selects. */
  const narrow = (word: string, may: (step: Step) => boolean, more: (step: Step) => Partial<Step>) => {
    const last = steps.at(-1)
    if (!last || !may(last)) throw new PathError(`\`${word}\` must follow an element name.`, word)
    steps[steps.length - 1] = { ...last, ...more(last) }
  }
  while (at < text.length) {
    token.lastIndex = at
    const found = token.exec(text)
    if (!found) throw unreadable(text, at)
    const start = at
    at = token.lastIndex
    const [word] = found
    const { type, slice, slices, reference, variable, key, value } = found.groups!
    if (word === '.') {
      if (expectStep) throw new PathError(`\`${text}\` has a dot where an element name belongs.`, text.slice(start))
      expectStep = true
    } else if (word.startsWith('[')) {
      if (expectStep) throw new PathError(`\`${word}\` must follow an element name.`, word)
      if (reference !== undefined) {
        narrow(
          word,
          (last) => !last.selector,
          () => ({ selector: { names: reference.split('.'), variable: variable! } }),
        )
        continue
      }
      if (value === '') throw new PathError(`\`${word}\` compares with nothing: a value is never empty.`, word)
      const keyed: Key = { names: key!.split('.'), values: [value!], of: 'value', repeats: true }
      narrow(
        word,
        () => true,
        (last) => ({ keys: [...last.keys, keyed] }),
      )
    } else {
      if (!expectStep) throw new PathError(`\`${text}\` lacks a dot before \`${word}\`.`, word)
      expectStep = false
      if (type !== undefined) {
        narrow(
          word,
          (last) => !last.type,
          () => ({ type }),
        )
      } else if (slice !== undefined) {
        const values = [...slices!.matchAll(/'([^']*)'/g)].map((quoted) => quoted[1]!)
        steps.push({ name: slice, keys: [{ names: [sliceKeys[slice]!], values, of: 'value', repeats: false }] })
      } else if (word.startsWith('$')) {
        if (start > 0) throw new PathError(`\`${word}\` can only stand at the start of a path.`, word)
        root = word
      } else {
        steps.push({ name: word, keys: [] })
      }
    }
  }
  if (expectStep) throw new PathError(text === '' ? 'The path is empty.' : `\`${text}\` ends with a dot.`, text)
  return { text, root, steps, repeats: true }
}

function unreadable(text: string, at: number): PathError {
  unquoted.lastIndex = at
  const [word, key, value] = unquoted.exec(text) ?? []
  return word === undefined
    ? new PathError(`\`${text}\` cannot be read from \`${text.slice(at)}\` on.`, text.slice(at))
    : new PathError(`The value in \`${word}\` must stand in single quotes: \`[${key} = '${value!.trim()}']\`.`, word)
}
