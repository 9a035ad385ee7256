import { answerTo, type Answer } from '../refusal.ts'
import type { Otherwise } from '../rule.ts'
import type { Policy } from '../policy.ts'
import { aside, code, type Item } from './page.ts'

/** `403 business-rule, FORBIDDEN_UPDATE` */
export function writeAnswer({ status, issue, code: own, codings = [] }: Answer): string {
  const codes = [...(own === undefined ? [] : [own]), ...codings.map((coding) => `${coding.system}|${coding.code}`)]
  return [`${status} ${code(issue)}`, ...codes.map(code)].join(', ')
}

/** A text of the policy's author. */
export const said = (text: string) => `“${text.trim()}”`

/** How a refusal by a rule is answered, with what it says. */
export function writeOtherwise({ answer, say, help }: Otherwise, policy: Policy): string {
  const whole = answer ?? answerTo({ cause: 'change-not-permitted' }, policy.answers, policy.release)
  return `${writeAnswer(whole)}: ${said(help === undefined ? say : `${say} ${help}`)}`
}

/** The answer of a rule where it has one of its own: none where it has that of the rule around it. */
export function ownAnswer(own: Otherwise, around: Otherwise, policy: Policy): Item[] {
  const [text, general] = [own, around].map((otherwise) => writeOtherwise(otherwise, policy))
  return text === general ? [] : [aside(`else ${text}`)]
}
