import type { CodeList, RuleSet } from '../rule.ts'
import { conditionsIn, contentsOf } from './contents.ts'
import { code, item, joined, type Item } from './page.ts'

/** The lists of coded values that rule sets use, by name. */
export function listsOf(ruleSets: readonly RuleSet[]): readonly CodeList[] {
  const lists = new Map<string, CodeList>()
  for (const { content } of ruleSets.flatMap(contentsOf)) {
    for (const { test } of conditionsIn(content)) if (test.kind === 'coded') lists.set(test.list.name, test.list)
  }
  return [...lists.values()]
}

const shownCodes = 20

/** The codes of a list; systems that share theirs are told together. */
export function tellList({ name, codes }: CodeList): Item {
  const groups = new Map<string, { readonly systems: string[]; readonly codes: readonly string[] }>()
  for (const [system, its] of codes) {
    const key = JSON.stringify([...its])
    const group = groups.get(key) ?? { systems: [], codes: [...its] }
    groups.set(key, group)
    group.systems.push(code(system))
  }
  const told = [...groups.values()].map(({ systems, codes: its }) => `${tellCodes(its)} of ${joined(systems, 'or')}`)
  return told.length === 1
    ? item(`${code(name)}: ${told[0]!}.`)
    : item(
        `${code(name)}:`,
        told.map((one) => item(`${one}.`)),
      )
}

function tellCodes(codes: readonly string[]): string {
  const shown = codes.slice(0, shownCodes).map(code)
  const more = codes.length - shown.length
  return more > 0 ? `${shown.join(', ')} and ${more} more` : joined(shown)
}
