import type { Change, ForEach, Part, ReplacedPart, SubtreePart } from '../rule.ts'
import { ownAnswer } from './answers.ts'
import { ended, tellContent, tellLiterals, tellTimes, type Telling } from './conditions.ts'
import { code, item, type Item } from './page.ts'
import { tellPath } from './path.ts'

/** A permitted change, with the differences that belong together in it. */
export function tellChange({ name, forEach, parts }: Change, telling: Telling): Item {
  const told = parts.map((part) => tellPart(part, telling))
  if (forEach) return item(`${code(name)}, ${tellForEach(forEach)}:`, [...tellAppended(forEach, telling), ...told])
  const [only, ...more] = told
  if (only && more.length === 0) return { ...only, text: `${code(name)}: ${only.text}` }
  return item(`${code(name)}, all of this together:`, told)
}

function tellForEach({ side, variable, path }: ForEach): string {
  const which = side === 'kept' ? 'that stays' : 'that is appended'
  return `once for each ${tellPath(path)} ${which} (${code(variable)}), all of this together`
}

function tellAppended({ side, variable, content, otherwise }: ForEach, telling: Telling): Item[] {
  if (side === 'kept') return []
  const { text, items } = tellContent(content, { ...telling, otherwise })
  const own = ownAnswer(otherwise, telling.otherwise, telling.policy)
  return [item(ended(`${code(variable)} ${text}`), [...items, ...own])]
}

function tellPart(part: Part, telling: Telling): Item {
  const own = ownAnswer(part.otherwise, telling.otherwise, telling.policy)
  const { text, items } = part.kind === 'replaced' ? tellReplaced(part) : tellSubtree(part, telling)
  return item(text, [...items, ...own])
}

function tellReplaced({ path, from, to, times }: ReplacedPart): Omit<Item, 'aside'> {
  const subject = path.repeats ? `each ${tellPath(path)}` : tellPath(path)
  const number = path.repeats ? (times.min > 0 ? ' (at least one)' : ' (all or none)') : ''
  const verb = times.min === 0 ? 'may go' : 'goes'
  return { text: `${subject}${number} ${verb} from ${tellLiterals(from)} to ${tellLiterals(to)}.`, items: [] }
}

const verbs = {
  added: ['is added', 'are added'],
  appended: ['is appended', 'are appended'],
  removed: ['is removed', 'are removed'],
} as const

/** Elements that come or go: how many, what they hold, and what comes with each of them. */
function tellSubtree(part: SubtreePart, telling: Telling): Omit<Item, 'aside'> {
  const { kind, path, times, total, content, as, otherwise } = part
  const inner = { ...telling, otherwise }
  const told = tellContent(content, inner)
  if (path.root === '$this' && path.steps.length === 0) {
    return { text: ended(`${telling.whole} ${told.text}`), items: told.items }
  }
  const one = times.max === 1
  const [single, several] = verbs[kind]
  const name = as === undefined ? '' : ` (${code(as)})`
  const inAll =
    total === undefined ? '' : total === 1 ? ', and is then the only one' : `, and there are ${total} in all then`
  const withParts = part.with.map((more) => tellPart(more, inner))
  return {
    text: ended(
      `${tellTimes(times)} ${tellPath(path)} ${one ? single : several}${name}${inAll}. ${one ? 'It' : 'Each'} ${told.text}`,
    ),
    items: [...told.items, ...(withParts.length === 0 ? [] : [item(`with ${one ? 'it' : 'each'}:`, withParts)])],
  }
}
