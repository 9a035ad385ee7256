import { modesOf } from '../modes.ts'
import type { Policy } from '../policy.ts'
import type { Invariant, Rest, RuleSet } from '../rule.ts'
import { ownAnswer, writeOtherwise } from './answers.ts'
import { tellChange } from './changes.ts'
import type { Telling } from './conditions.ts'
import { code, item, joined, list, paragraph, type Block, type Item } from './page.ts'
import { tellPath } from './path.ts'

/** What a rule set is for: `update`, or something that comes or goes as a whole. */
export type Purpose = 'create' | 'update' | 'delete' | 'operation'

const wholes: Readonly<Record<Purpose, string>> = {
  create: 'the new resource',
  update: 'the resource',
  delete: 'the resource',
  operation: 'the Parameters',
}

/** What a write may consist of, and what becomes of everything else. */
export function tellRuleSet(ruleSet: RuleSet, purpose: Purpose, policy: Policy): Block[] {
  const { changes, invariants, rest, otherwise } = ruleSet
  const telling = { policy, otherwise, whole: wholes[purpose] }
  const blocks: Block[] = tellModes(ruleSet)
  if (changes.length > 0) {
    blocks.push(paragraph(opening(purpose, changes.length)))
    blocks.push(list(changes.map((change) => tellChange(change, telling))))
  }
  if (rest) blocks.push(paragraph(tellRest(rest, changes.length > 0)))
  if (invariants.length > 0) {
    blocks.push(paragraph('Whatever it consists of, this must hold:'))
    blocks.push(list(invariants.map((invariant) => tellInvariant(invariant, telling))))
  }
  const refused = rest && !rest.only ? 'What is refused is answered with' : 'Everything else is refused, with'
  return [...blocks, paragraph(`${refused} ${writeOtherwise(otherwise, policy)}`)]
}

/** What of the rules is not enforced. */
function tellModes(ruleSet: RuleSet): Block[] {
  const { mode, others } = modesOf(ruleSet)
  // Without the type, so that types with the same rules are told once.
  const listed = joined(others.map((id) => code(id.slice(ruleSet.id.length + 1))))
  if (mode === 'report') {
    const restored = ruleSet.rest?.kind === 'restore' ? ' Nothing is put back, either.' : ''
    const still = others.length === 0 ? '' : ` Refused is still what breaks ${listed}.`
    return [paragraph(`These rules are in report mode: what they refuse goes on, and is reported.${restored}${still}`)]
  }
  return others.length === 0 ? [] : [paragraph(`Only reported, and not refused, is what breaks ${listed}.`)]
}

function opening(purpose: Purpose, changes: number): string {
  if (purpose !== 'update') return changes === 1 ? 'It is permitted as:' : 'It is permitted as one of these:'
  return changes === 1 ? 'It may consist of this change:' : 'It may consist of these changes, one or several at once:'
}

function tellRest({ kind, name, only, except }: Rest, beside: boolean): string {
  const paths = except.map(tellPath)
  const subject = only ? `What lies at or in ${joined(only.map(tellPath), 'or')}` : `Anything${beside ? ' else' : ''}`
  const may =
    kind === 'permit'
      ? `${subject} may change, as ${code(name)}`
      : `${subject}${only ? ' and differs' : ' that differs'} is put back to what is stored, the client is told so, and the update goes on, as ${code(name)}`
  const unless = beside ? ', unless it belongs to one of these changes' : ''
  const but = paths.length === 0 ? '' : ` But a difference at, in or around ${joined(paths, 'or')} is refused${unless}.`
  return `${may}.${but}`
}

function tellInvariant({ name, when, require, at, otherwise }: Invariant, telling: Telling): Item {
  const where = when ? [item(`where this is true: ${code(flat(when.text))}`)] : []
  const element = at ? [item(`a refusal names ${tellPath(at)}.`)] : []
  return item(`${name}:`, [
    ...where,
    item(`this is true: ${code(flat(require.text))}`),
    ...element,
    ...ownAnswer(otherwise, telling.otherwise, telling.policy),
  ])
}

const flat = (text: string) => text.trim().replaceAll(/\s+/g, ' ')
