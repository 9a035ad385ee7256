import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { RequestRecord } from '../../src/audit/request-record.ts'
import type { UpstreamRequestKind } from '../../src/audit/upstream-record.ts'
import type { GatewayConfig } from '../../src/config/config.ts'
import { loadConfig, withUpstream } from '../../src/config/load.ts'
import { createGateway, type Gateway } from '../../src/gateway.ts'

/** A gateway with the shipped config, in this process, in front of a server. */
export interface GatewayInFront {
  /** Our FHIR base, without trailing slash. */
  readonly url: string
  readonly records: readonly RequestRecord[]
  /** What was asked of the server, in order. */
  readonly asked: readonly UpstreamRequestKind[]
  readonly gateway: Gateway
  close(): Promise<void>
}

export async function startGatewayInFront(
  upstreamUrl: string,
  changes: (config: GatewayConfig) => GatewayConfig = (config) => config,
): Promise<GatewayInFront> {
  const read = loadConfig(fileURLToPath(new URL('../../config', import.meta.url)))
  if (!read.ok) throw new Error('The shipped config does not compile.')
  const config = changes(withUpstream(read.loaded, new URL(upstreamUrl)))
  const records: RequestRecord[] = []
  const asked: UpstreamRequestKind[] = []
  const gateway = createGateway({
    config,
    record: (record) => void records.push(record),
    observers: { upstream: ({ kind }) => void asked.push(kind), cache() {}, breaker() {} },
  })
  gateway.server.listen(0, '127.0.0.1')
  await once(gateway.server, 'listening')
  const { port } = gateway.server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}${config.bases[0]!.path}`,
    records,
    asked,
    gateway,
    close: () => gateway.drain(),
  }
}
