import { withoutServerOwned, type Resource } from '../../../src/fhir/element.ts'
import { parseJson } from '../../../src/fhir/json.ts'
import { compilePolicy, type ReadBeside } from '../../../src/policy/compile.ts'
import { judge } from '../../../src/policy/judge.ts'
import type { Policy } from '../../../src/policy/policy.ts'
import { plainRequest } from '../../../src/policy/request-facts.ts'

/** Compiles a policy that a test writes itself. */
export function compiled(text: string, readBeside?: ReadBeside): Policy {
  const result = compilePolicy('p.yaml', text, readBeside)
  if (!result.ok) throw new Error(result.diagnostics.map((d) => `${d.line}:${d.column} ${d.message}`).join('\n'))
  return result.policy
}

/** Every mistake of a policy, as `line:column message`. */
export function mistakes(text: string, readBeside?: ReadBeside): string[] {
  const result = compilePolicy('p.yaml', text, readBeside)
  return result.ok ? [] : result.diagnostics.map(({ line, column, message }) => `${line}:${column} ${message}`)
}

/** What a policy says of an update, a create or a delete: the names of the permit, or what is refused, `!` before each. */
export function verdict(policy: Policy, before: object | undefined, after: object | undefined): string[] {
  const stored = before && read(policy, before)
  const sent = after && read(policy, after)
  const interaction = stored ? (sent ? 'update' : 'delete') : 'create'
  const decision = judge(
    policy,
    { interaction, type: (sent ?? stored)!.type, before: stored, after: sent },
    { bases: [], maxRefusals: 100, request: plainRequest(interaction) },
  )
  return decision.verdict === 'permit'
    ? [...decision.permittedAs]
    : decision.refusals.map(({ diagnostics }) => `! ${diagnostics.replace(/\. The policy .*$/, '')}`)
}

function read(policy: Policy, json: object): Resource {
  const result = parseJson(JSON.stringify(json), policy.definitions)
  if (!result.ok) throw new Error(JSON.stringify(result.faults))
  return withoutServerOwned(result.value)
}
