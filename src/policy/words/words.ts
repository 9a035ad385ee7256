import { causeMeanings } from '../cause-meanings.ts'
import type { Policy } from '../policy.ts'
import { answerTo, causes, type Cause } from '../refusal.ts'
import { said, writeAnswer } from './answers.ts'
import { countRules, groupsOf, ruleSetsOf } from './groups.ts'
import { tellHeaderFields } from './header-fields.ts'
import { listsOf, tellList } from './lists.ts'
import { openSubtrees } from './open.ts'
import { onTheBase, overview } from './overview.ts'
import { code, heading, item, joined, list, paragraph, type Block, type Item } from './page.ts'
import { tellOperations } from './resources.ts'

/** A policy in plain sentences, for those who own the API and sign it off. */
export interface PolicyInWords {
  readonly blocks: readonly Block[]
  /** Each change, what becomes of the rest, and each invariant is a rule; those of several types that are told once count once. */
  readonly rules: number
  /** How many subtrees may hold more than the rules name. */
  readonly open: number
}

export function policyInWords(policy: Policy): PolicyInWords {
  const groups = groupsOf(policy)
  const lists = listsOf(ruleSetsOf(policy)).map(tellList)
  const open = openSubtrees(groups, policy)
  const rules = countRules(groups, policy)
  const blocks = [
    heading(1, policy.name),
    ...(policy.summary === '' ? [] : [paragraph(policy.summary)]),
    paragraph(`FHIR ${policy.fhirVersion}, ${rules} ${rules === 1 ? 'rule' : 'rules'}. Digest ${code(policy.digest)}.`),
    ...(policy.mode === 'report' ? [paragraph(reportSay)] : []),
    overview(groups),
    paragraph(`${onTheBase(policy)} What is not named here is closed.`),
    ...groups.flatMap(({ title, blocks }) => section(title, blocks)),
    ...section('The base', tellOperations(policy.system.operations, '', policy)),
    ...section('Lists', listBlock(lists)),
    ...section('Open subtrees', open.length === 0 ? [] : [paragraph(openSay), list(open)]),
    ...section('Header fields', headerFieldsBlocks(policy)),
    ...section('How requests are read', listBlock(tellReading(policy))),
    ...section('What the gateway refuses by itself', [answersTable(policy)]),
  ]
  return { blocks, rules, open: open.length }
}

/** What a policy in report mode comes to. */
export const reportSay =
  'This policy is in report mode: what is not open goes on all the same, as far as it can be carried, and is reported.'

const openSay = 'These may hold more than the rules name, and nobody judges it (`open: true`):'

const listBlock = (items: readonly Item[]): Block[] => (items.length === 0 ? [] : [list(items)])

const section = (title: string, blocks: readonly Block[]) => (blocks.length === 0 ? [] : [heading(2, title), ...blocks])

function headerFieldsBlocks(policy: Policy): Block[] {
  if (policy.headerFields.length === 0) return []
  return [paragraph(headerFieldsSay), list(tellHeaderFields(policy))]
}

const headerFieldsSay =
  'Asked of every request but that for `/metadata`, where the config of the gateway says `header-fields: on` for the base. Each may occur once.'

/** Settings that hold for all rules. */
function tellReading(policy: Policy): Item[] {
  const { bases, precedence } = policy
  const match = new Map(ruleSetsOf(policy).flatMap((ruleSet) => [...ruleSet.match]))
  return [
    ...[...match].map(([paired, names]) =>
      item(`items of ${code(paired)} are compared by their ${code(names.join('.'))}.`),
    ),
    ...(bases.length === 0
      ? []
      : [item(`references below ${joined(bases.map(code), 'or')} name resources of this server.`)]),
    ...(precedence.length === 0
      ? []
      : [item(`when refusals differ in status, the answer has the first of ${precedence.join(', ')}.`)]),
  ]
}

function answersTable({ answers, release }: Policy): Block {
  const rows = (Object.keys(causes) as Cause[]).map((cause) => {
    const answer = answerTo({ cause }, answers, release)
    const text = answer.text === undefined ? '' : ` ${said(answer.text)}`
    return [causeMeanings[cause], writeAnswer(answer) + text]
  })
  return { kind: 'table', head: ['when', 'answer'], rows }
}
