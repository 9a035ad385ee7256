import { describe, expect, it } from 'vitest'
import { withoutServerOwned, type Resource } from '../../../src/fhir/element.ts'
import { parseJson } from '../../../src/fhir/json.ts'
import { judge, judgeWithFindings, type Judged } from '../../../src/policy/judge.ts'
import { plainRequest } from '../../../src/policy/request-facts.ts'
import { compiled } from './small-policy.ts'

const policy = compiled(`policy: p
fhir: 4.0.1
resources:
  Flag:
    interactions: [update]
    update:
      if-match: required
      changes:
        removal:
          - { replaced: status, from: active, to: inactive }
          - added: extension('https://reason.example')
            rule: reason
            holds:
              valueString: { text: not blank }
            lacks: id
      rest: { permit-as: edit, except: [subject] }
`)

const reason = (valueString: string) => [{ url: 'https://reason.example', valueString }]

function judged(change: object): Judged {
  const flag = { resourceType: 'Flag', id: 'f', status: 'active', code: { text: 'a' }, subject: { reference: 'P/1' } }
  return judgeWithFindings(policy, writeOf(flag, { ...flag, ...change }), surroundings)
}

function writeOf(before: object, after: object) {
  return { interaction: 'update', type: 'Flag', before: read(before), after: read(after) } as const
}

const surroundings = { bases: [], maxRefusals: 100, request: plainRequest('update') }

function read(json: object): Resource {
  const result = parseJson(JSON.stringify(json), policy.definitions)
  if (!result.ok) throw new Error(JSON.stringify(result.faults))
  return withoutServerOwned(result.value)
}

describe('judgeWithFindings', () => {
  it('decides as judge does', () => {
    const write = writeOf({ resourceType: 'Flag', status: 'active' }, { resourceType: 'Flag', status: 'inactive' })
    expect(judgeWithFindings(policy, write, surroundings).decision).toEqual(judge(policy, write, surroundings))
  })

  it('tells which changes were complete, which conditions held, and what the rest permitted', () => {
    const { decision, rules, differences, occurrences, rest, held } = judged({
      status: 'inactive',
      extension: reason('Moved away.'),
      code: { text: 'b' },
    })
    expect(decision).toMatchObject({ verdict: 'permit', permittedAs: ['removal', 'edit'] })
    expect(rules?.id).toBe('Flag.update')
    expect(differences).toHaveLength(3)
    expect(occurrences.map(({ change, complete }) => [change.id, complete])).toEqual([['Flag.update.removal', true]])
    expect(occurrences[0]!.findings.map(({ part, fits }) => [part.id, fits.length])).toEqual([
      ['Flag.update.removal.status', 1],
      ['Flag.update.removal.reason', 1],
    ])
    expect([...rest].map(({ kind, node }) => [kind, node.name])).toEqual([['replaced', 'text']])
    expect([...held]).toEqual(['Flag.update.removal.reason/valueString', 'Flag.update.removal.reason/lacks id'])
  })

  it('tells of a condition that was tried and did not hold only in the refusals', () => {
    const { decision, held } = judged({ status: 'inactive', extension: reason(' ') })
    expect(decision).toMatchObject({
      verdict: 'deny',
      refusals: [{ rule: 'Flag.update.removal.reason/valueString' }],
    })
    expect([...held]).toEqual(['Flag.update.removal.reason/lacks id'])
  })

  it('finds nothing where nothing differs, and where there are no rules', () => {
    expect(judged({})).toMatchObject({ decision: { permittedAs: ['no-change'] }, differences: [], occurrences: [] })
    const before = read({ resourceType: 'Flag', status: 'active' })
    const write = { interaction: 'delete', type: 'Flag', before, after: undefined } as const
    expect(judgeWithFindings(policy, write, surroundings)).toMatchObject({
      decision: { verdict: 'deny', refusals: [{ cause: 'interaction-not-offered' }] },
      rules: undefined,
      occurrences: [],
    })
  })
})
