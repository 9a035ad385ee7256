import { describe, expect, it } from 'vitest'
import { judgePast } from '../../../src/backtest/judge-pair.ts'
import type { Resource } from '../../../src/fhir/element.ts'
import { parseJson } from '../../../src/fhir/json.ts'
import { compiled } from '../policy/small-policy.ts'

const text = `
policy: p
fhir: 4.0.1
summary: s
resources:
  Flag:
    interactions: [create, read, patch]
    create: { changes: { new: [{ added: $this, holds: { status: { is: active }, code: { open: true }, subject: { open: true } } }] } }
    update: { if-match: required, changes: { removal: [{ replaced: status, from: active, to: inactive }] } }
`
const policy = compiled(text)

const flag = (more: object) => {
  const json = {
    resourceType: 'Flag',
    id: '1',
    status: 'active',
    code: { text: 'x' },
    subject: { display: 'y' },
    ...more,
  }
  const read = parseJson(JSON.stringify(json), policy.definitions)
  if (!read.ok) throw new Error(JSON.stringify(read.faults))
  return read.value
}

const meta = (version: string, source: string) => ({
  meta: { versionId: version, lastUpdated: `2026-01-0${version}T00:00:00Z`, source },
})

const verdict = (
  before: Resource | undefined,
  after: Resource | undefined,
  serverOwned: string[][] = [],
  by = policy,
) =>
  judgePast(
    { policy: by, bases: [], serverOwned },
    { interaction: before ? (after ? 'update' : 'delete') : 'create', type: 'Flag', before, after },
  )

describe('judging a write of the past', () => {
  it('judges a create without its id and what else belongs to the server', () => {
    expect(verdict(undefined, flag({ meta: { versionId: '1' } }))).toMatchObject({ kind: 'permitted', as: ['new'] })
  })

  it('judges a patch that a history does not tell from an update', () => {
    expect(verdict(flag({}), flag({ status: 'inactive' }))).toMatchObject({ kind: 'permitted', as: ['removal'] })
  })

  it('says that the policy does not open it', () => {
    expect(verdict(flag({}), undefined)).toEqual({ kind: 'closed' })
  })

  it('tells what a policy in report mode would refuse, and that it does not open something', () => {
    const reporting = compiled(`mode: report\n${text}`)
    expect(verdict(flag({}), flag({ code: { text: 'y' } }), [], reporting)).toMatchObject({
      kind: 'permitted',
      as: ['reported'],
      reported: [{ expression: 'Flag.code.text' }],
    })
    expect(verdict(flag({}), undefined, [], reporting)).toMatchObject({
      kind: 'permitted',
      as: ['reported'],
      reported: [{ cause: 'interaction-not-offered' }],
    })
  })

  it('leaves out what the server writes itself, when it is told what that is', () => {
    const [before, after] = [flag(meta('1', '#a')), flag({ ...meta('2', '#b'), status: 'inactive' })]
    expect(verdict(before, after).kind).toBe('refused')
    expect(verdict(before, after, [['meta', 'source']])).toMatchObject({ kind: 'permitted', as: ['removal'] })
    expect(
      verdict(flag({ status: 'active' }), flag({ ...meta('2', '#b'), status: 'inactive' }), [['meta', 'source']]),
    ).toMatchObject({ kind: 'permitted', as: ['removal'] })
  })

  it('shows what differed to those who ask, within bounds', () => {
    const found = verdict(flag({}), flag({ code: { text: 'z'.repeat(1000) }, identifier: [{ value: '7' }] }))
    expect(found.kind === 'refused' && found.differences()).toEqual([
      { expression: 'Flag.code.text', before: '"x"', after: `"${'z'.repeat(299)}…` },
      { expression: 'Flag.identifier[0]', after: '{"value":"7"}' },
    ])
  })
})
