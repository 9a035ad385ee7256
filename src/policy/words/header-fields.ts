import { fieldFormats } from '../header-fields.ts'
import type { Policy } from '../policy.ts'
import { answerTo } from '../refusal.ts'
import type { HeaderFieldRule } from '../rule.ts'
import { said, writeAnswer } from './answers.ts'
import { aside, code, item, joined, type Item } from './page.ts'

/** What a policy asks of the header fields of a request. */
export function tellHeaderFields(policy: Policy): Item[] {
  return policy.headerFields.map((rule) => {
    const { name, required, mirrored, mode } = rule
    const asked = [
      `${code(name)} ${required ? 'is required' : 'may be left out'}`,
      ...conditionsOf(rule),
      ...(mirrored ? ['the answer repeats it'] : []),
      ...(mode === 'report' ? ['what does not hold is only reported'] : []),
    ]
    return item(`${asked.join('; ')}.`, answersOf(rule, policy))
  })
}

function conditionsOf({ format, values, maxLength }: HeaderFieldRule): string[] {
  return [
    ...(format ? [`it is ${fieldFormats[format].is}`] : []),
    ...(values ? [`it is ${joined(values.map(code), 'or')}`] : []),
    ...(format === 'uuid' || values ? [] : [`at most ${maxLength} characters`]),
  ]
}

function answersOf({ answers, required }: HeaderFieldRule, policy: Policy): Item[] {
  if (!answers) return []
  const { missing, malformed } = answers
  const text = (answer: typeof missing) =>
    writeAnswer(answer) + (answer.text === undefined ? '' : `: ${said(answer.text)}`)
  const isUsual = (cause: 'header-field-missing' | 'header-field-malformed', answer: typeof missing) =>
    text(answer) === text(answerTo({ cause }, policy.answers, policy.release))
  const both = required && text(missing) !== text(malformed)
  if ((!required || isUsual('header-field-missing', missing)) && isUsual('header-field-malformed', malformed)) return []
  return both
    ? [aside(`where it is missing ${text(missing)}`), aside(`else ${text(malformed)}`)]
    : [aside(`else ${text(malformed)}`)]
}
