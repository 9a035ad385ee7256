import { readingInteractions, type InteractionCode } from '../../fhir/interaction.ts'
import type { Policy, ResourcePolicy } from '../policy.ts'
import type { RuleSet } from '../rule.ts'
import type { Group } from './groups.ts'
import { code, type Block } from './page.ts'

/** What is open, at a glance: a row for each type, or for several of which the policy says the same. */
export function overview(groups: readonly Group[]): Block {
  const operations = groups.some(({ resource }) => operationsOf(resource) !== closed)
  return {
    kind: 'table',
    head: ['', 'read by', 'create', 'update', 'delete', ...(operations ? ['operations'] : [])],
    rows: groups.map(({ title, resource }) => [
      title,
      readBy(resource),
      ...writesCells(resource),
      ...(operations ? [operationsOf(resource)] : []),
    ]),
  }
}

/** What is open on the FHIR base itself. */
export function onTheBase({ system: { interactions, operations } }: Policy): string {
  const open = [...interactions, ...[...operations.keys()].map((name) => `$${name}`)]
  return open.length === 0 ? 'Nothing is open on the base.' : `On the base: ${open.map(code).join(', ')}.`
}

const closed = '–'

function readBy({ interactions }: ResourcePolicy): string {
  const reading = [...interactions].filter((one) => readingInteractions.has(one))
  return reading.length === 0 ? closed : reading.map(code).join(', ')
}

function operationsOf({ operations: { type, instance } }: ResourcePolicy): string {
  const names = new Set([...type.keys(), ...instance.keys()])
  return names.size === 0 ? closed : [...names].map((name) => code(`$${name}`)).join(', ')
}

function writesCells({ interactions, conditional, create, update, delete: remove }: ResourcePolicy): string[] {
  const cell = (ruleSet: RuleSet | undefined, ...ways: (string | false)[]) =>
    ruleSet ? [namesOf(ruleSet), ...ways.filter((way) => way !== false)].join('; ') : closed
  const byCriteria = (interaction: 'create' | 'update' | 'delete') => conditional.has(interaction) && 'also by criteria'
  return [
    cell(create, byCriteria('create')),
    cell(update, byPatch(interactions), (byCriteria('update') || conditional.has('patch')) && 'also by criteria'),
    cell(remove, byCriteria('delete')),
  ]
}

function byPatch(interactions: ReadonlySet<InteractionCode>): string | false {
  if (!interactions.has('patch')) return false
  return interactions.has('update') ? 'also by PATCH' : 'by PATCH only'
}

/** The names under which a write is permitted. */
function namesOf({ changes, rest }: RuleSet): string {
  return [...changes.map(({ name }) => name), ...(rest ? [rest.name] : [])].map(code).join(', ')
}
