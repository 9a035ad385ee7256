import { readCaseFile, readCases } from '../../../src/cases/case-file.ts'
import type { Case } from '../../../src/cases/case.ts'
import { runCase, type CaseResult } from '../../../src/cases/run.ts'
import type { Policy } from '../../../src/policy/policy.ts'
import { compiled } from '../policy/small-policy.ts'

/** A policy with one rule of most kinds. */
export const policy = compiled(`policy: small
fhir: 4.0.1
outcome: { codes: { system: https://codes.example, display: { NO_REASON: No reason } } }
resources:
  Flag:
    interactions: [create, update, patch, delete]
    instance-operations:
      $close: { methods: [POST], changes: { close: [{ added: $this, rule: whole, holds: { parameter('why'): { open: true } } }] } }
    update:
      if-match: required
      changes:
        removal:
          - { replaced: status, from: active, to: inactive }
          - added: extension('https://reason.example')
            rule: reason
            otherwise: { status: 400, issue: required, code: NO_REASON, say: A removal needs a reason. }
            holds:
              valueString: { text: not blank }
      rest: { restore-as: kept, except: [subject] }
    create:
      changes:
        new: [{ added: $this, rule: active, open: true, holds: { status: { is: active } } }]
    delete:
      if-match: required
      changes:
        remove: [{ removed: $this, rule: inactive, open: true, holds: { status: { is: inactive } } }]
  Observation:
    interactions: [update]
    update:
      if-match: required
      rest: { permit-as: edit }
      invariants:
        - rule: only a lab writes results
          require: "%scopes.where($this = 'lab').exists()"
`)

export const resources = `resources:
  flag: &flag
    resourceType: Flag
    id: f1
    status: active
    code: { text: Hearing }
    subject: { reference: Patient/1 }
  inactive:
    <<: *flag
    status: inactive
  observation:
    resourceType: Observation
    id: o1
    status: final
    code: { text: Potassium }
    valueQuantity: { value: 4.10 }
shared:
  - &removal
    - { op: replace, path: /status, value: inactive }
    - { op: add, path: /extension, value: [{ url: https://reason.example, valueString: Moved }] }
`

export type Files = Readonly<Record<string, string | Uint8Array>>

/** The cases of a text, which follows the resources. */
export function read(cases: string, files: Files = {}, of: Policy = policy): readonly Case[] {
  const result = readAll(cases, files, of)
  if (!result.ok) throw new Error(result.diagnostics.map((d) => `${d.line}:${d.column} ${d.message}`).join('\n'))
  return result.cases
}

/** Every mistake in a text that follows the resources, as `line:column message`; lines are counted from its own first. */
export function mistakes(cases: string, files: Files = {}): string[] {
  const result = readAll(cases, files, policy)
  const before = resources.split('\n').length - 1
  return result.ok ? [] : result.diagnostics.map((d) => `${d.line - before}:${d.column} ${d.message}`)
}

function readAll(cases: string, files: Files, of: Policy) {
  const file = readCaseFile('small.cases.yaml', `${resources}${cases}`)
  if (!file.ok) return file
  return readCases(file.file, of, (path) => {
    const text = files[path]
    return typeof text === 'string' ? new TextEncoder().encode(text) : text
  })
}

/** Runs the cases of a text. */
export function run(cases: string, files: Files = {}, of: Policy = policy): CaseResult[] {
  return read(cases, files, of).map((one) => runCase(one, of))
}

/** What comes out of one case, in a few words: `permitted as removal`, `restored …`, or the refusals. */
export function outcome(one: string, files: Files = {}): string[] {
  const [result, ...more] = run(`cases:\n  - case: it\n${one.replaceAll(/^/gm, '    ')}\n`, files)
  if (!result || more.length > 0) throw new Error('expected one case')
  const { outcome: came } = result
  if (came.kind === 'permit')
    return [`permitted as ${came.names.join(', ')}`, ...came.restored.map((at) => `restored ${at}`)]
  return came.refusals.map(({ cause, status, at, rule }) =>
    [status, ...(rule === undefined ? [cause] : []), at, rule].filter((part) => part !== undefined).join(' '),
  )
}
