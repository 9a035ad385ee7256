import type { Aligned } from './align.ts'
import type { Bindings } from './bindings.ts'
import type { Judgement } from './judgement.ts'
import { sameValue } from '../fhir/element.ts'
import type { CodeList, Literal, Otherwise, Test } from './rule.ts'

/** Why a condition does not hold. */
export interface Shortcoming {
  /** Without subject and full stop: `is blank`. */
  readonly what: string
  /** The element concerned, when it is one below the condition's own. */
  readonly at?: Aligned
  /** An answer of its own, instead of the condition's. */
  readonly otherwise?: Otherwise | undefined
}

/**
 * Tests one element; undefined when the condition holds. The elements that the test accounts for are added to `covered`,
 * whether it holds or not: what else stands there is a stray.
 */
export function holds(
  node: Aligned,
  test: Exclude<Test, { kind: 'content' }>,
  bindings: Bindings,
  judgement: Judgement,
  covered: Set<Aligned>,
): Shortcoming | undefined {
  const value = (node.after ?? node.before)!.value
  switch (test.kind) {
    case 'is':
      covered.add(node)
      return test.literals.some((literal) => literal && sameValue(literal, value))
        ? undefined
        : { what: `must be ${writeLiterals(test.literals)}` }
    case 'text':
      covered.add(node)
      if (value === undefined || isBlank(value.text)) return { what: 'is blank' }
      // Counted in code points, as FHIR's maxLength is in characters.
      if (value.text.length > test.maxLength && [...value.text].length > test.maxLength) {
        return { what: `is longer than ${test.maxLength} characters` }
      }
      return undefined
    case 'digits':
      covered.add(node)
      if (!new RegExp(`^[0-9]{${test.count}}$`).test(value?.text ?? '')) return { what: `is not ${test.count} digits` }
      return test.checkDigit && !hasCheckDigit(value!.text) ? { what: 'has a wrong check digit' } : undefined
    case 'refers': {
      for (const name of ['reference', 'display']) for (const item of node.childrenNamed(name)) covered.add(item)
      const reference = node.childrenNamed('reference')[0]
      const text = (reference?.after ?? reference?.before)?.value?.text
      return text !== undefined && judgement.selection.refersTo(text, test.variable, bindings)
        ? undefined
        : { what: 'does not refer to the resource concerned', ...(reference ? { at: reference } : {}) }
    }
    case 'coded':
      return coded(node, test.list, test, covered)
  }
}

const codingElements = ['system', 'version', 'code', 'display', 'userSelected']

/** A CodeableConcept or a Coding: at least one coding from the list, and none that names a listed system with another code. */
function coded(
  node: Aligned,
  list: CodeList,
  answers: { readonly wrongCode: Otherwise | undefined; readonly wrongSystem: Otherwise | undefined },
  covered: Set<Aligned>,
): Shortcoming | undefined {
  const isCoding = (node.after ?? node.before)!.type === 'Coding'
  const codings = isCoding ? [node] : node.childrenNamed('coding')
  if (!isCoding) for (const text of node.childrenNamed('text')) covered.add(text)
  let listed = 0
  let wrong: Aligned | undefined
  let elsewhere: Aligned | undefined
  for (const coding of codings) {
    for (const name of codingElements) for (const item of coding.childrenNamed(name)) covered.add(item)
    const element = (coding.after ?? coding.before)!
    const system = element.children.get('system')?.items[0]?.value?.text
    const code = element.children.get('code')?.items[0]?.value?.text
    const codes = system === undefined ? undefined : list.codes.get(system)
    if (codes) {
      if (code !== undefined && codes.has(code)) listed++
      else wrong ??= coding.childrenNamed('code')[0] ?? coding
    } else elsewhere ??= coding.childrenNamed('system')[0] ?? coding
  }
  if (wrong)
    return { what: `is not one of the codes of the list \`${list.name}\``, at: wrong, otherwise: answers.wrongCode }
  if (listed > 0) return undefined
  if (elsewhere) {
    return {
      what: `is not the code system of the list \`${list.name}\``,
      at: elsewhere,
      otherwise: answers.wrongSystem ?? answers.wrongCode,
    }
  }
  return { what: 'has no coding' }
}

/** White space of every kind (also no-break), and what is not seen at all (zero-width, control, format). */
function isBlank(text: string): boolean {
  return !/[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\u2800]/u.test(text)
}

/** Modulus 11: weights from n down to 2 over all but the last digit; 11 less the remainder, where 11 is 0 and 10 is none. */
function hasCheckDigit(digits: string): boolean {
  const sum = Array.from(digits.slice(0, -1)).reduce(
    (total, digit, i) => total + Number(digit) * (digits.length - i),
    0,
  )
  const check = (11 - (sum % 11)) % 11
  return check === Number(digits.at(-1))
}

export function writeLiterals(literals: readonly Literal[]): string {
  return literals.map((literal) => (literal ? `\`${literal.text}\`` : 'absent')).join(' or ')
}
