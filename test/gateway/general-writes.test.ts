import { afterAll, beforeAll } from 'vitest'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { describeGeneralWrites } from '../hapi/general-writes.ts'

let sandbox: Awaited<ReturnType<typeof startSandbox>>

beforeAll(async () => {
  sandbox = await startSandbox({ fhirVersion: '4.0.1' })
})
afterAll(() => sandbox.close())

describeGeneralWrites('the sandbox', () => sandbox.url)
