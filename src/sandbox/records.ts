import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Definitions } from '../fhir/definitions.ts'
import { childrenOf, idOf, textOf } from '../fhir/element.ts'
import { parseJson } from '../fhir/json.ts'
import type { Store } from './store.ts'

/**
 * Loads the records of a folder: one resource with an id in each `*.json`, in the order of the files' names; a further
 * file with the same id is its next version. `meta.lastUpdated` is kept, `meta.versionId` is counted.
 * @throws Error that names the file that is not a resource of the FHIR version
 */
export async function loadRecords(folder: string, store: Store, definitions: Definitions): Promise<void> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort()
  for (const file of files) {
    const path = join(folder, file)
    const record = parseJson(await readFile(path, 'utf8'), definitions)
    if (!record.ok) throw new Error(`${path}: ${record.faults.map((fault) => fault.sentence).join(' ')}`)
    const id = idOf(record.value)
    if (id === undefined) throw new Error(`${path}: The record has no id.`)
    const meta = childrenOf(record.value, 'meta')[0]
    const lastUpdated = meta && textOf(meta, 'lastUpdated')
    store.update(record.value, id, undefined, lastUpdated === undefined ? undefined : new Date(lastUpdated))
  }
}
