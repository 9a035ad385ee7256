import { CST } from 'yaml'

/**
 * Bounds on the size of a policy, far beyond what one needs: a file that was written by mistake, or to do harm, must neither
 * stall the process nor end it.
 */
export const bounds = {
  /** Characters of the file. */
  text: 1024 * 1024,
  /** Lists and mappings inside each other. */
  nesting: 100,
  /** Entries of one mapping. Each is compared with each for its key. */
  entries: 1000,
  aliases: 1000,
  /** Values once every alias is replaced by what it stands for. */
  values: 200_000,
  /** Characters of one path. */
  path: 1000,
  /** Parts and conditions, once for each resource type that they are compiled for. */
  rules: 20_000,
  /** Parts of one rule set, and conditions of one element that comes or goes. Each is compared with each. */
  together: 1000,
  /** Mistakes that are told. */
  mistakes: 1000,
} as const

/** Something too large, and where it begins in the text. */
export interface TooLarge {
  readonly offset: number
  readonly message: string
}

/** What is too large in a YAML text, before it is read any further. */
export function tooLarge(tokens: readonly CST.Token[]): TooLarge | undefined {
  let aliases = 0
  const open: { readonly token: CST.Token; readonly depth: number }[] = tokens
    .map((token) => ({ token, depth: 0 }))
    .toReversed()
  for (let next = open.pop(); next; next = open.pop()) {
    const { token, depth } = next
    const { offset } = token
    if (token.type === 'document') {
      if (token.value) open.push({ token: token.value, depth })
      continue
    }
    if (token.type === 'alias' && ++aliases > bounds.aliases) {
      return { offset, message: `There are more than ${bounds.aliases} aliases.` }
    }
    if (!CST.isCollection(token)) continue
    if (depth >= bounds.nesting) return { offset, message: `This is nested more than ${bounds.nesting} deep.` }
    const isMapping = token.type === 'block-map' || (token.type === 'flow-collection' && token.start.source === '{')
    if (isMapping && token.items.length > bounds.entries) {
      return { offset, message: `This has more than ${bounds.entries} entries.` }
    }
    for (const { key, value } of token.items.toReversed()) {
      if (value) open.push({ token: value, depth: depth + 1 })
      if (key) open.push({ token: key, depth: depth + 1 })
    }
  }
  return undefined
}

/** Why a value whose aliases are replaced by what they stand for is too large. */
export function expandsTooFar(data: unknown): string | undefined {
  let values = 0
  const open: (readonly [value: unknown, depth: number])[] = [[data, 0]]
  for (let next = open.pop(); next; next = open.pop()) {
    const [value, depth] = next
    if (++values > bounds.values) return `With its aliases it comes to more than ${bounds.values} values.`
    if (depth > bounds.nesting)
      return 'With its aliases it is nested too deeply, or an alias stands in what it stands for.'
    if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) open.push([one, depth + 1])
  }
  return undefined
}
