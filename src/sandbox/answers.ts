import type { Definitions } from '../fhir/definitions.ts'
import { entityTagOf } from '../fhir/entity-tag.ts'
import { resourceOf } from './lenient.ts'
import type { SandboxAnswer } from './message.ts'
import type { Version } from './store.ts'

type Severity = 'error' | 'warning' | 'information'

/** An answer whose body is an OperationOutcome with one issue. */
export function outcome(
  definitions: Definitions,
  status: number,
  code: string,
  diagnostics: string,
  severity: Severity = 'error',
): SandboxAnswer {
  const plain = { resourceType: 'OperationOutcome', issue: [{ severity, code, diagnostics }] }
  return { status, resource: resourceOf(plain, definitions)! }
}

/** `[base]/[type]/[id]/_history/[version]` */
export function urlOf(version: Version, base: string): string {
  return `${base}/${pathOf(version)}`
}

/** `[type]/[id]/_history/[version]` */
export function pathOf(version: Version): string {
  return `${version.type}/${version.id}/_history/${version.version}`
}

/** What stands on the answer to every read and write of one version. */
export function fieldsOf(version: Version, base: string): Readonly<Record<string, string>> {
  return {
    ETag: entityTagOf(String(version.version)),
    'Last-Modified': version.lastUpdated.toUTCString(),
    'Content-Location': urlOf(version, base),
  }
}
