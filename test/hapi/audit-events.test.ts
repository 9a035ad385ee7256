import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { auditEventOf } from '../../src/audit/decisions/audit-event.ts'
import { auditEventsTarget } from '../../src/audit/decisions/audit-events-target.ts'
import { idOf, sampleRecord } from '../unit/audit/decisions/sample.ts'
import { ask } from './ask.ts'

/** The machine may be busy with other things. */
const patience = { timeout: 15_000 }

describe.each([
  ['DSTU3', 'STU3', '3.0.2'],
  ['R4', 'R4', '4.0.1'],
] as const)('AuditEvents on a HAPI of %s', (version, release, fhirVersion) => {
  const records = [
    sampleRecord({ id: idOf(1), fhirVersion }),
    sampleRecord({
      id: idOf(2),
      fhirVersion,
      caller: { subject: 'nurse-7', client: 'ward', headerFields: { 'x-user': 'n' } },
      bundle: { interaction: 'batch', entry: 2 },
      decision: 'refused',
      outcome: 'failure',
      refusals: [{ cause: 'change-not-permitted', rule: 'Flag.update', path: 'Flag.code' }],
    }),
    sampleRecord({ id: idOf(3), fhirVersion, interaction: 'delete', outcome: 'unknown' }),
  ]

  test.each(records)('are valid by its own validator: $decision $interaction', async (record) => {
    const answer = await ask(
      `${inject('hapi')[version]}/AuditEvent/$validate`,
      'POST',
      auditEventOf(record, release) as never,
    )
    const { issue } = answer.json as { issue: { severity: string; diagnostics: string }[] }
    expect(issue.filter(({ severity }) => severity === 'error' || severity === 'fatal')).toEqual([])
  })

  test('are looked at by that validator: one without a time is not valid', async () => {
    const { recorded: _, ...event } = auditEventOf(records[0]!, release) as Record<string, unknown>
    const answer = await ask(`${inject('hapi')[version]}/AuditEvent/$validate`, 'POST', event as never)
    const { issue } = answer.json as { issue: { severity: string }[] }
    expect(issue.map(({ severity }) => severity)).toContain('error')
  })

  test('are delivered and can be read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'audit-'))
    const base = inject('hapi')[version]
    const locations: string[] = []
    const target = auditEventsTarget({
      folder,
      maxBytes: 1024 * 1024,
      sync: true,
      release: undefined,
      async post(body) {
        const headers = { 'content-type': 'application/fhir+json' }
        const response = await fetch(`${base}/AuditEvent`, { method: 'POST', headers, body })
        await response.text()
        locations.push(response.headers.get('location') ?? '')
        return { status: response.status }
      },
      tried() {},
    })
    await target.write(records)
    await expect.poll(() => locations.length, patience).toBe(3)
    await target.close()
    rmSync(folder, { recursive: true })
    const first = await ask(locations[0]!.replace(/\/_history.*/, ''))
    expect(first.json).toMatchObject({ resourceType: 'AuditEvent', action: 'U', outcome: '0' })
  })
})
