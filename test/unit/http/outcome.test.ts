import { describe, expect, test } from 'vitest'
import {
  issueOf,
  issuesOfRefusals,
  outcomeAnswer,
  plainTerms,
  statusOf,
  type Terms,
} from '../../../src/http/outcome.ts'
import type { Refusal } from '../../../src/policy/refusal.ts'

const terms: Terms = {
  release: 'STU3',
  precedence: [403, 400],
  answers: new Map([
    ['body-malformed', { status: 400, issue: 'structure', code: 'BAD', text: 'It is not well-formed.' }],
  ]),
  outcome: {
    profile: 'https://example.org/outcome',
    codes: { system: 'https://example.org/codes', display: new Map([['BAD', 'Bad']]) },
  },
}
const malformed: Refusal = { cause: 'body-malformed', diagnostics: 'No.', expression: 'Flag.status' }
const forbidden: Refusal = {
  cause: 'change-not-permitted',
  diagnostics: 'No.',
  answer: { status: 403, issue: 'business-rule' },
}
const other: Refusal = { cause: 'too-large', diagnostics: 'No.' }

test('an issue has the policy’s code, display and text', () => {
  expect(issueOf(malformed, terms)).toEqual({
    severity: 'error',
    code: 'structure',
    details: {
      coding: [{ system: 'https://example.org/codes', code: 'BAD', display: 'Bad' }],
      text: 'It is not well-formed.',
    },
    diagnostics: 'No.',
    expression: ['Flag.status'],
  })
})

test('codings of other systems follow the policy’s own', () => {
  const more = { system: 'https://example.org/more', code: '7', display: 'Seven' }
  const answer = { status: 403, issue: 'business-rule', code: 'BAD', codings: [more] } as const
  expect(issueOf({ ...forbidden, answer }, terms).details?.coding).toEqual([
    { system: 'https://example.org/codes', code: 'BAD', display: 'Bad' },
    more,
  ])
  expect(issueOf({ ...forbidden, answer }, plainTerms).details?.coding).toEqual([more])
})

test('without a policy the issue is FHIR’s own', () => {
  expect(issueOf(malformed, plainTerms)).toEqual({
    severity: 'error',
    code: 'structure',
    diagnostics: 'No.',
    expression: ['Flag.status'],
  })
})

describe('the status of several refusals', () => {
  test.each([
    [[malformed, forbidden], 403],
    [[forbidden, malformed], 403],
    [[other, malformed], 400],
    [[other], 413],
    [[], 500],
  ])('%# is the first of the precedence', (refusals, status) => {
    expect(statusOf(refusals, terms)).toBe(status)
  })
})

test('the issues are bounded, and the rest is counted', () => {
  const issues = issuesOfRefusals(
    Array.from({ length: 5 }, () => malformed),
    terms,
    2,
  )
  expect(issues.map(({ severity }) => severity)).toEqual(['error', 'error', 'information'])
  expect(issues[2]!.diagnostics).toBe('3 more are not listed.')
})

test.each([
  ['xml', 'application/fhir+xml;charset=utf-8'],
  ['json', 'application/fhir+json;charset=utf-8'],
  ['any', 'application/fhir+json;charset=utf-8'],
  ['none', 'application/fhir+json;charset=utf-8'],
] as const)('asked for %s it is %s, and never stored', (asked, contentType) => {
  const { headerFields, body } = outcomeAnswer([issueOf(malformed, terms)], terms, asked)
  expect(headerFields).toEqual({ 'content-type': contentType, 'cache-control': 'no-store', vary: 'Accept' })
  expect(body).toContain('https://example.org/outcome')
})
