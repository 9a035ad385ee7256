import { expect, test } from 'vitest'
import { SaxesParser } from 'saxes'
import { writeOperationOutcome, type OperationOutcome } from '../../../src/fhir/operation-outcome.ts'

const full: OperationOutcome = {
  profile: 'https://example.org/outcome',
  issues: [
    {
      severity: 'error',
      code: 'business-rule',
      details: {
        coding: [
          { system: 'https://example.org/codes', code: 'NO', display: 'No' },
          { system: 'https://example.org/more', code: '7' },
        ],
        text: 'Not that.',
      },
      diagnostics: 'a < b & "c"\u0000',
      expression: ['Flag.status', 'Flag.code'],
    },
  ],
}

test('an OperationOutcome in JSON has every element where FHIR wants it', () => {
  expect(JSON.parse(writeOperationOutcome(full, 'json'))).toEqual({
    resourceType: 'OperationOutcome',
    meta: { profile: ['https://example.org/outcome'] },
    issue: [
      {
        severity: 'error',
        code: 'business-rule',
        details: {
          coding: [
            { system: 'https://example.org/codes', code: 'NO', display: 'No' },
            { system: 'https://example.org/more', code: '7' },
          ],
          text: 'Not that.',
        },
        diagnostics: 'a < b & "c"\u0000',
        expression: ['Flag.status', 'Flag.code'],
      },
    ],
  })
})

test('an OperationOutcome in XML is escaped and well-formed', () => {
  const xml = writeOperationOutcome(full, 'xml')
  expect(() => new SaxesParser().write(xml).close()).not.toThrow()
  expect(xml).toBe(
    '<OperationOutcome xmlns="http://hl7.org/fhir"><meta><profile value="https://example.org/outcome"/></meta>' +
      '<issue><severity value="error"/><code value="business-rule"/><details><coding>' +
      '<system value="https://example.org/codes"/><code value="NO"/><display value="No"/></coding>' +
      '<coding><system value="https://example.org/more"/><code value="7"/></coding>' +
      '<text value="Not that."/></details><diagnostics value="a &lt; b &amp; &quot;c&quot;\ufffd"/>' +
      '<expression value="Flag.status"/><expression value="Flag.code"/></issue></OperationOutcome>',
  )
})

test('what is absent is not written', () => {
  const bare: OperationOutcome = { issues: [{ severity: 'error', code: 'exception', expression: [] }] }
  expect(writeOperationOutcome(bare, 'json')).toBe(
    '{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"exception"}]}',
  )
  expect(writeOperationOutcome(bare, 'xml')).toBe(
    '<OperationOutcome xmlns="http://hl7.org/fhir"><issue><severity value="error"/><code value="exception"/></issue></OperationOutcome>',
  )
})
