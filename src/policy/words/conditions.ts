import type { Policy } from '../policy.ts'
import type { Path } from '../path.ts'
import type { CodeList, Condition, Content, Literal, Otherwise, Test, Times } from '../rule.ts'
import { ownAnswer, writeOtherwise } from './answers.ts'
import { aside, code, item, joined, type Item } from './page.ts'
import { tellPath } from './path.ts'

/** What the sentences of one rule share. */
export interface Telling {
  readonly policy: Policy
  /** The answer of the rule around it. */
  readonly otherwise: Otherwise
  /** What the whole is called: `the new resource`, `the Parameters`. */
  readonly whole: string
}

/** What a subtree is, after the name of it: `holds this and nothing else`. With what it holds below. */
export function tellContent(content: Content, telling: Telling): { readonly text: string; readonly items: Item[] } {
  const { open, holds, lacks, oneOf } = content
  const items = [
    ...holds.map((condition) => tellCondition(condition, telling)),
    ...(oneOf ? [tellOneOf(oneOf, telling)] : []),
    ...tellLacks(lacks, telling),
  ]
  if (open) return { text: items.length === 0 ? 'may hold anything' : 'may hold anything, but:', items }
  return { text: items.length === 0 ? 'holds nothing' : 'holds this and nothing else:', items }
}

/** Those that are answered alike are told together. */
function tellLacks(lacks: Content['lacks'], telling: Telling): Item[] {
  const groups = new Map<string, { readonly paths: string[]; readonly otherwise: Otherwise }>()
  for (const { path, otherwise } of lacks) {
    const key = writeOtherwise(otherwise, telling.policy)
    const group = groups.get(key) ?? { paths: [], otherwise }
    groups.set(key, group)
    group.paths.push(tellPath(path))
  }
  return [...groups.values()].map(({ paths, otherwise }) =>
    item(`no ${joined(paths, 'or')}.`, ownAnswer(otherwise, telling.otherwise, telling.policy)),
  )
}

function tellOneOf({ alternatives, otherwise }: NonNullable<Content['oneOf']>, telling: Telling): Item {
  const inner = { ...telling, otherwise }
  const items = alternatives.map((conditions) => {
    const told = conditions.map((condition) => tellCondition(condition, inner))
    return told.length === 1 ? told[0]! : item('all of these:', told)
  })
  return item('exactly one of these:', [...items, ...ownAnswer(otherwise, telling.otherwise, telling.policy)])
}

function tellCondition({ path, times, test, otherwise }: Condition, telling: Telling): Item {
  const own = ownAnswer(otherwise, telling.otherwise, telling.policy)
  const inner = { ...telling, otherwise }
  const subject = subjectOf(path, times, test)
  if (test.kind === 'content') {
    const { text, items } = tellContent(test.content, inner)
    return item(ended(`${subject} ${text}`), [...items, ...own])
  }
  return item(ended(`${subject} ${tellTest(test, telling)}`), [...own, ...furtherAnswers(test, inner)])
}

/** A sentence, unless it announces what stands below it. */
export const ended = (text: string) => (text.endsWith(':') ? text : `${text}.`)

function tellTest(test: Exclude<Test, { kind: 'content' }>, { whole }: Telling): string {
  switch (test.kind) {
    case 'is':
      return `is ${tellLiterals(test.literals)}`
    case 'coded':
      return `is coded from ${nameOfList(test.list)}`
    case 'text':
      return Number.isFinite(test.maxLength)
        ? `is a text that is not blank, of at most ${test.maxLength} characters`
        : 'is a text that is not blank'
    case 'digits':
      return test.checkDigit
        ? `is ${test.count} digits, the last of them a check digit (${test.checkDigit})`
        : `is ${test.count} digits`
    case 'refers':
      return `refers to ${test.variable === '$this' || test.variable === '$resource' ? whole : code(test.variable)}`
  }
}

/** Answers beside the one to a condition that does not hold. */
function furtherAnswers(test: Test, { policy, otherwise }: Telling): Item[] {
  if (test.kind !== 'coded') return []
  const { wrongCode, wrongSystem } = test
  return [
    ...(wrongCode ? [aside(`another code: ${writeOtherwise(wrongCode, policy)}`)] : []),
    ...(wrongSystem && wrongSystem !== otherwise
      ? [aside(`another code system: ${writeOtherwise(wrongSystem, policy)}`)]
      : []),
  ]
}

const nameOfList = ({ name }: CodeList) => `the list ${code(name)}`

/** `a`, `a or b`, `a or absent` */
export function tellLiterals(literals: readonly Literal[]): string {
  return joined(
    literals.map((literal) => (literal ? code(literal.text) : 'absent')),
    'or',
  )
}

/** The elements that a condition is about, with how many they are: `one extension('…'), which`. */
function subjectOf(path: Path, times: Times, test: Test): string {
  const text = tellPath(path)
  const mayLack = test.kind === 'is' && test.literals.includes(undefined)
  if (!path.repeats && times.max === 1) return times.min === 1 || mayLack ? text : `${text}, if it is there,`
  if (times.max === 1) return `${tellTimes(times)} ${text}, which`
  return `${tellTimes(times)} ${text}, each of which`
}

/** `one`, `at most one`, `any number of`, `2 to 3` … */
export function tellTimes({ min, max }: Times): string {
  if (min === max) return min === 1 ? 'one' : `exactly ${min}`
  if (max === Infinity) return min === 0 ? 'any number of' : min === 1 ? 'one or more' : `${min} or more`
  if (min === 0) return max === 1 ? 'at most one' : `at most ${max}`
  return `${min} to ${max}`
}
