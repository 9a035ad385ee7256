import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { definitionsOf } from '../fhir/definitions.ts'
import { type Format, askedFormat } from '../fhir/media-type.ts'
import { releaseOf } from '../fhir/version.ts'
import { outcome } from './answers.ts'
import { bodyFormat } from './body.ts'
import { Bundles } from './bundles.ts'
import { type SandboxAnswer, type SandboxRequest, UnreadableBody, readRequest, writeAnswer } from './message.ts'
import { loadRecords } from './records.ts'
import { answer } from './route.ts'
import type { Service } from './service.ts'
import { Store } from './store.ts'

export interface SandboxOptions {
  /** `3.0.2` */
  readonly fhirVersion: string
  /** A folder with the records that it starts with; none: it starts empty. */
  readonly records?: string
  readonly host?: '127.0.0.1'
  readonly port?: number
  readonly clock?: () => Date
}

export interface Sandbox {
  /** The FHIR base: `http://127.0.0.1:PORT/fhir` */
  readonly url: string
  close(): Promise<void>
}

const basePath = '/fhir'

/**
 * Starts an embedded FHIR server on loopback, in memory, as lax as HAPI where HAPI is lax: for trying the gateway out,
 * and never for real records.
 * @throws Error when the FHIR version is not carried or a record cannot be read
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const release = releaseOf(options.fhirVersion)
  if (!release) throw new Error(`The sandbox has no definitions of FHIR ${options.fhirVersion}.`)
  const definitions = definitionsOf(release)
  const clock = options.clock ?? (() => new Date())
  const store = new Store(definitions, clock)
  const bundles = new Bundles(definitions, clock)
  const service: Service = { definitions, fhirVersion: options.fhirVersion, store, bundles, clock }
  if (options.records !== undefined) await loadRecords(options.records, store, definitions)

  const server = createServer((incoming, response) => {
    const handle = async () => {
      const request = await readRequest(incoming, basePath)
      writeAnswer(incoming, response, answer(service, request), answerFormat(request))
    }
    handle().catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else writeAnswer(incoming, response, faultAnswer(service, error), 'json')
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve)
  })
  const { address, port } = server.address() as AddressInfo
  return {
    url: `http://${address}:${port}${basePath}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** `_format`, then Accept, then the format of the body; what is not known does not count. */
function answerFormat(request: SandboxRequest): Format {
  const asked = [
    askedFormat(request.query.get('_format') ?? undefined, undefined),
    askedFormat(undefined, request.field('accept')),
    bodyFormat(request),
  ]
  return asked.find((format) => format === 'json' || format === 'xml') ?? 'json'
}

function faultAnswer({ definitions }: Service, error: unknown): SandboxAnswer {
  if (error instanceof UnreadableBody) return outcome(definitions, 400, 'processing', error.message)
  return outcome(definitions, 500, 'exception', 'HAPI-0389: Failed to call access method')
}
