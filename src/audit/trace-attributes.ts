/**
 * The attributes of spans: docs/telemetry.md is generated from these, and no other can be set. None holds a resource id, a
 * path, a query or anything of a record.
 */
export const traceAttributes = {
  'http.request.method': {
    spans: ['request', 'upstream'],
    meaning: 'The method; `_OTHER` for one that HTTP’s and FHIR’s specifications do not know.',
  },
  'http.response.status_code': {
    spans: ['request', 'upstream'],
    meaning: 'HTTP status of the answer; of a request 499 where the client left before there was one.',
  },
  'error.type': {
    spans: ['request', 'upstream'],
    meaning: 'Of what failed: the cause, or what became of the request to the upstream, as `reason` in the metrics.',
  },
  'fhir_gateway.base': { spans: ['request', 'upstream'], meaning: 'Path of the FHIR base.' },
  'fhir_gateway.policy': { spans: ['request'], meaning: 'Name of the policy and the first 12 digits of its digest.' },
  'fhir_gateway.interaction': { spans: ['request', 'judge'], meaning: 'FHIR’s restful-interaction code.' },
  'fhir_gateway.type': { spans: ['request', 'judge'], meaning: 'Resource type, when the FHIR version defines it.' },
  'fhir_gateway.decision': {
    spans: ['request', 'judge'],
    meaning: 'Of a request as in the metrics; of the judge `permitted` or `refused`.',
  },
  'fhir_gateway.permitted_as': {
    spans: ['request', 'judge'],
    meaning: 'Names of the changes as which a write was permitted.',
  },
  'fhir_gateway.restored_by': { spans: ['request'], meaning: 'Rules that had something put back to what is stored.' },
  'fhir_gateway.refused_by': {
    spans: ['request', 'judge'],
    meaning: 'Rules, or causes, for which it was refused or failed.',
  },
  'fhir_gateway.reported_by': {
    spans: ['request'],
    meaning: 'Rules in report mode, or causes, that would have refused it.',
  },
  'fhir_gateway.outcome_unknown': {
    spans: ['request'],
    meaning: '`true`: a write was sent, and nobody knows whether it was stored.',
  },
  'fhir_gateway.upstream.kind': {
    spans: ['upstream'],
    meaning: '`read`, `stored-version` or `write`, as in the metrics.',
  },
} as const satisfies Record<
  string,
  { readonly spans: readonly ('request' | 'judge' | 'upstream')[]; readonly meaning: string }
>

export type TraceAttribute = keyof typeof traceAttributes

/** The attributes of a span; those without a value are left out. */
export type TraceAttributes = Partial<Record<TraceAttribute, string | number | boolean | readonly string[] | undefined>>

/** The kinds of spans, and their names. */
export const spanNames = {
  request: 'A request: its method, and the resource type or else the interaction: `PUT Flag`, `POST transaction`.',
  judge: 'The judging of one write: `judge Flag`. Several in the request of a Bundle.',
  upstream: 'A request to the upstream: its method, and what it is for: `GET stored-version`, `PUT write`.',
} as const
