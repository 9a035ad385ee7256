import type { DecisionRecord } from './record.ts'

/** The FHIR versions in whose shape an AuditEvent can be made. */
export type AuditEventRelease = 'STU3' | 'R4'

const code = (system: string, code: string, display?: string) => ({ system, code, ...(display && { display }) })

/** https://hl7.org/fhir/R4/valueset-audit-event-action.html */
const actions: Readonly<Record<string, string>> = { create: 'C', update: 'U', patch: 'U', delete: 'D' }

/** https://hl7.org/fhir/R4/valueset-audit-event-outcome.html */
const outcomes: Readonly<Record<DecisionRecord['outcome'], string>> = {
  success: '0',
  failure: '4',
  unknown: '8',
  pending: '8',
}

/**
 * A decision record as an AuditEvent, in FHIR JSON. What it is about is named by an identifier and not by a reference, since the
 * server that keeps it need not have the record. https://hl7.org/fhir/R4/auditevent.html, https://hl7.org/fhir/STU3/auditevent.html
 */
export function auditEventOf(record: DecisionRecord, release: AuditEventRelease): object {
  const { interaction, time, caller, resource } = record
  const isStu3 = release === 'STU3'
  const url = isStu3 ? 'http://hl7.org/fhir' : 'http://terminology.hl7.org/CodeSystem'
  const named = (value: string) => (isStu3 ? { userId: { value } } : { who: { identifier: { value } } })
  const about = (value: string) => (isStu3 ? { identifier: { value } } : { what: { identifier: { value } } })
  const detail = ([type, text]: readonly [string, string]) =>
    isStu3 ? { type, value: Buffer.from(text).toString('base64') } : { type, valueString: text }
  const { subject, client, headerFields = {} } = caller
  const name = subject ?? client ?? Object.values(headerFields)[0]
  return {
    resourceType: 'AuditEvent',
    type: code(`${url}/audit-event-type`, 'rest', 'RESTful Operation'),
    ...(interaction &&
      interaction !== 'paging' && { subtype: [code('http://hl7.org/fhir/restful-interaction', interaction)] }),
    action: actions[interaction ?? ''] ?? 'E',
    recorded: time,
    outcome: outcomes[record.outcome],
    outcomeDesc: sentenceOf(record),
    agent: [
      {
        ...(name !== undefined && named(name)),
        ...(client !== undefined && { altId: client }),
        requestor: true,
      },
    ],
    source: isStu3
      ? { identifier: { value: 'fhir-policy-gateway' }, type: [code(`${url}/security-source-type`, '4')] }
      : { observer: { display: 'fhir-policy-gateway' }, type: [code(`${url}/security-source-type`, '4')] },
    entity: [
      {
        ...(resource && about(resource.id === undefined ? resource.type : `${resource.type}/${resource.id}`)),
        ...(resource && { type: code('http://hl7.org/fhir/resource-types', resource.type) }),
        detail: detailsOf(record).map(detail),
      },
      { ...about(`${record.policy}@${record.policyDigest}`), name: 'policy' },
    ],
  }
}

function sentenceOf({ decision, permittedAs = [], outcome }: DecisionRecord): string {
  const as = permittedAs.length > 0 ? ` as ${permittedAs.join(', ')}` : ''
  return `${decision}${as}; ${outcome}`
}

/** What has no element of its own. */
function detailsOf(record: DecisionRecord): readonly (readonly [string, string])[] {
  const { resource = { type: '' }, bundle, caller, refusals = [], reported = [], restoredBy = [] } = record
  const one = (name: string, value: string | number | undefined) =>
    value === undefined ? [] : [[name, String(value)] as const]
  const said = ({ cause, rule, path }: (typeof refusals)[number]) =>
    [rule ?? cause, ...(path === undefined ? [] : [`at ${path}`])].join(' ')
  return [
    ...one('id', record.id),
    ...one('requestId', record.requestId),
    ...one('base', record.base),
    ...one('fhirVersion', record.fhirVersion),
    ...one('operation', record.operation),
    ...one('bundle', bundle && `${bundle.interaction} entry ${bundle.entry}`),
    ...one('versionNamed', resource.versionNamed),
    ...one('versionJudged', resource.versionJudged),
    ...one('versionWritten', resource.versionWritten),
    ...one('decision', record.decision),
    ...Object.entries(caller.headerFields ?? {}).flatMap(([name, value]) => one(`caller ${name}`, value)),
    ...restoredBy.flatMap((rule) => one('restoredBy', rule)),
    ...refusals.flatMap((refusal) => one('refusal', said(refusal))),
    ...reported.flatMap((refusal) => one('reported', said(refusal))),
    ...one('status', record.status),
    ...one('upstreamStatus', record.upstreamStatus),
  ]
}
