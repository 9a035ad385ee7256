import type { TestProject } from 'vitest/node'
import { startHapi, type HapiServer, type HapiVersion } from './hapi-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The FHIR base of each version's HAPI, without a trailing slash: `inject('hapi').DSTU3`. */
    hapi: Readonly<Record<HapiVersion, string>>
  }
}

/** What the operator may name instead of a server of ours, and the FHIR version that it must then have. */
const given = {
  DSTU3: { variable: 'HAPI_URL', fhirVersion: '3.0.' },
  R4: { variable: 'HAPI_R4_URL', fhirVersion: '4.0.' },
} as const

/** One HAPI of each version for the whole run: the one that the environment names, else one started here. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started: HapiServer[] = []
  const stop = async () => void (await Promise.all(started.map((server) => server.stop())))
  const base = async (version: HapiVersion): Promise<string> => {
    const named = await namedServer(version)
    if (named !== undefined) return named
    const server = await startHapi({ version })
    started.push(server)
    return server.url
  }
  const [dstu3, r4] = await Promise.allSettled([base('DSTU3'), base('R4')])
  if (dstu3.status === 'rejected' || r4.status === 'rejected') {
    await stop()
    throw dstu3.status === 'rejected' ? dstu3.reason : (r4 as PromiseRejectedResult).reason
  }
  project.provide('hapi', { DSTU3: dstu3.value, R4: r4.value })
  return stop
}

async function namedServer(version: HapiVersion): Promise<string | undefined> {
  const { variable, fhirVersion } = given[version]
  const url = process.env[variable]?.replace(/\/+$/, '')
  if (!url) return undefined
  const answer = await fetch(`${url}/metadata`, { headers: { accept: 'application/fhir+json' } }).catch((cause) => {
    throw new Error(`${variable}: ${url} does not answer.`, { cause })
  })
  const metadata = (await answer.json()) as { fhirVersion?: string }
  if (metadata.fhirVersion?.startsWith(fhirVersion)) return url
  throw new Error(`${variable}: ${url} has FHIR ${metadata.fhirVersion}, not ${fhirVersion}x.`)
}
