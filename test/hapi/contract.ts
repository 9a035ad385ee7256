import { describe } from 'vitest'
import { describeBodies } from './contract/bodies.ts'
import { describeDeletes } from './contract/deletes.ts'
import { describeOtherWrites } from './contract/other-writes.ts'
import { describeReads } from './contract/reads.ts'
import { describeSearches } from './contract/searches.ts'
import { describeTargets } from './contract/targets.ts'
import { describeUpdates } from './contract/updates.ts'
import { Upstream } from './contract/upstream.ts'

/** What HAPI does and a smaller server need not. */
export type Feature =
  /** JSON Patch. */
  | 'patch'
  /** A transaction Bundle on the base. */
  | 'transaction'
  /** `$meta-add`. */
  | 'operations'
  /** References to resources of its own must find them. */
  | 'reference-check'
  /** Searches are remembered for a minute, unless the client says no-cache. */
  | 'search-cache'
  /** Clients may not choose an id of digits only. */
  | 'no-numeric-ids'
  /** The forms that HAPI's parser takes and FHIR does not know. */
  | 'lax-json'

export interface ContractOptions {
  readonly fhirVersion: '3.0' | '4.0'
  readonly without?: readonly Feature[]
}

export interface Contract {
  readonly upstream: Upstream
  readonly fhirVersion: ContractOptions['fhirVersion']
  has(feature: Feature): boolean
}

/**
 * What the gateway assumes of the server behind it, one test an assumption. A test that fails says that the gateway
 * guards against something that does not happen, or not against something that does.
 */
export function describeUpstreamContract(name: string, getBase: () => string, options: ContractOptions): void {
  const contract: Contract = {
    upstream: new Upstream(getBase),
    fhirVersion: options.fhirVersion,
    has: (feature) => !(options.without ?? []).includes(feature),
  }
  describe(`upstream contract: ${name}`, () => {
    describeUpdates(contract)
    describeDeletes(contract)
    describeTargets(contract)
    describeBodies(contract)
    describeReads(contract)
    describeSearches(contract)
    describeOtherWrites(contract)
  })
}
