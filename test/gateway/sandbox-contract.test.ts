import { afterAll, beforeAll } from 'vitest'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { describeUpstreamContract } from '../hapi/contract.ts'

const sandboxes = new Map<string, Sandbox>()
beforeAll(async () => {
  for (const fhirVersion of ['3.0.2', '4.0.1']) sandboxes.set(fhirVersion, await startSandbox({ fhirVersion }))
})
afterAll(async () => {
  for (const sandbox of sandboxes.values()) await sandbox.close()
})

const without = ['patch', 'transaction', 'operations', 'search-cache', 'no-numeric-ids'] as const
describeUpstreamContract('The sandbox, STU3', () => sandboxes.get('3.0.2')!.url, { fhirVersion: '3.0', without })
describeUpstreamContract('The sandbox, R4', () => sandboxes.get('4.0.1')!.url, { fhirVersion: '4.0', without })
