import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { LoadedConfig } from '../config/load.ts'
import type { FhirRelease } from '../fhir/version.ts'
import { startSandbox } from '../sandbox/sandbox.ts'
import { sandboxHints } from './sandbox-hints.ts'

export interface RunningSandbox {
  readonly url: URL
  readonly release: FhirRelease
  /** What a person at a terminal is told. @param baseUrl our FHIR base in front of it */
  greeting(baseUrl: string): string
  close(): Promise<void>
}

/** Starts the sandbox with the records beside gateway.yaml, or says why it cannot. */
export async function sandboxFor({
  folder,
  bases,
}: LoadedConfig): Promise<RunningSandbox | { readonly mistake: string }> {
  const records = join(folder, 'sandbox')
  const { fhirVersion, release } = bases[0]!.compiled
  try {
    const { url, close } = await startSandbox({ fhirVersion, ...(existsSync(records) && { records }) })
    return { url: new URL(url), release, close, greeting: (baseUrl) => greeting(records, baseUrl) }
  } catch (error) {
    return { mistake: `The sandbox cannot start. ${(error as Error).message}` }
  }
}

function greeting(records: string, baseUrl: string): string {
  const hints = sandboxHints(join(records, 'try', 'commands.yaml'), baseUrl)
  return [
    'UPSTREAM_URL is unset: a sandbox with sample records stands behind the gateway. What changes there is lost at the end.',
    ...(hints === '' ? [] : ['\nTry, in another terminal:\n', hints]),
    '',
  ].join('\n')
}
