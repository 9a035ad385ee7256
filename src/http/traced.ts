import type { IncomingMessage } from 'node:http'
import type { TracedRequest, Traces } from '../audit/traces.ts'
import type { judge } from '../policy/judge.ts'
import { valuesOf } from '../upstream/header-fields.ts'

/** What is known of the trace of a request, as it came. */
export function tracedRequest({ method = '', headers }: IncomingMessage): TracedRequest {
  const [traceparent, tracestate] = [headers['traceparent'], headers['tracestate']].map((value) => valuesOf(value)[0])
  return { method, traceparent, tracestate }
}

/** The judge, each of whose decisions is a span. */
export function tracedJudge(judgeWrite: typeof judge, traces: Traces): typeof judge {
  return (policy, write, surroundings) => {
    const { type } = write
    return traces.part(
      `judge ${type}`,
      () => judgeWrite(policy, write, surroundings),
      (decision) => ({
        'fhir_gateway.interaction': surroundings.request.interaction,
        'fhir_gateway.type': type,
        ...(decision.verdict === 'permit'
          ? { 'fhir_gateway.decision': 'permitted', 'fhir_gateway.permitted_as': decision.permittedAs }
          : {
              'fhir_gateway.decision': 'refused',
              'fhir_gateway.refused_by': [...new Set(decision.refusals.map(({ rule, cause }) => rule ?? cause))],
            }),
      }),
    )
  }
}
