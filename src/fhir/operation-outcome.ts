import type { Format } from './media-type.ts'

/** One OperationOutcome.issue. https://hl7.org/fhir/STU3/operationoutcome.html */
export interface OutcomeIssue {
  readonly severity: 'fatal' | 'error' | 'warning' | 'information'
  readonly code: string
  readonly details?: {
    readonly coding?: readonly OutcomeCoding[]
    readonly text?: string
  }
  readonly diagnostics?: string
  /** XPath in STU3, deprecated since: told on when an upstream gives it, never written by the gateway itself. */
  readonly location?: readonly string[]
  /** FHIRPath of the elements concerned. */
  readonly expression?: readonly string[]
}

/** https://hl7.org/fhir/STU3/datatypes.html#Coding */
export interface OutcomeCoding {
  readonly system: string
  readonly code: string
  readonly display?: string | undefined
}

export interface OperationOutcome {
  /** meta.profile */
  readonly profile?: string
  /** At least one. */
  readonly issues: readonly OutcomeIssue[]
}

/** The text of an OperationOutcome in FHIR JSON or FHIR XML. */
export function writeOperationOutcome(outcome: OperationOutcome, format: Format): string {
  return format === 'json' ? writeJson(outcome) : writeXml(outcome)
}

function writeJson({ profile, issues }: OperationOutcome): string {
  return JSON.stringify({
    resourceType: 'OperationOutcome',
    ...(profile !== undefined && { meta: { profile: [profile] } }),
    issue: issues.map(({ severity, code, details, diagnostics, location, expression }) => ({
      severity,
      code,
      ...(details && {
        details: {
          ...(details.coding && details.coding.length > 0 && { coding: details.coding }),
          ...(details.text !== undefined && { text: details.text }),
        },
      }),
      ...(diagnostics !== undefined && { diagnostics }),
      ...(location && location.length > 0 && { location }),
      ...(expression && expression.length > 0 && { expression }),
    })),
  })
}

function writeXml({ profile, issues }: OperationOutcome): string {
  const value = (name: string, text: string | undefined) =>
    text === undefined ? '' : `<${name} value="${escapeXml(text)}"/>`
  const issue = ({ severity, code, details, diagnostics, location = [], expression = [] }: OutcomeIssue) => {
    const coding = ({ system, code, display }: OutcomeCoding) =>
      `<coding>${value('system', system)}${value('code', code)}${value('display', display)}</coding>`
    return [
      '<issue>',
      value('severity', severity),
      value('code', code),
      details && '<details>',
      ...(details?.coding ?? []).map(coding),
      details && `${value('text', details.text)}</details>`,
      value('diagnostics', diagnostics),
      ...location.map((path) => value('location', path)),
      ...expression.map((path) => value('expression', path)),
      '</issue>',
    ]
      .filter((part) => part !== undefined)
      .join('')
  }
  const meta = profile === undefined ? '' : `<meta>${value('profile', profile)}</meta>`
  return `<OperationOutcome xmlns="http://hl7.org/fhir">${meta}${issues.map(issue).join('')}</OperationOutcome>`
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** For an attribute value in double quotes. What XML 1.0 cannot hold at all becomes U+FFFD. */
function escapeXml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll(/[&<>"]/g, (character) => entities[character]!)
    .replaceAll(/[\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`)
}
