import { Client } from 'fhir-kit-client'
import type { FhirResource } from 'fhir-kit-client'
import { flag as newFlag, provenance, removal, type Json } from '../records.ts'
import type { Issue, Step, Work } from './day.ts'

type Bundle = Parameters<Client['nextPage']>[0]['bundle'] & {
  readonly entry?: readonly { readonly resource: FhirResource }[]
}

/** A day's work with fhir-kit-client. */
export const fhirKitDay: Work = async (baseUrl, patient) => {
  const client = new Client({ baseUrl, customHeaders: { 'accept-charset': 'utf-8' } })
  const steps: Step[] = []
  const does = async (step: string, action: () => Promise<Json>) => {
    steps.push({ step, ...(await action().then((given) => ({ given }), told)) })
  }
  const flag = (): FhirResource => ({
    ...newFlag(''),
    resourceType: 'Flag',
    id: undefined,
    extension: undefined,
    subject: { reference: patient },
  })
  const create = (body: FhirResource, headers = {}) =>
    client.create({ resourceType: 'Flag', body, options: { headers } })

  await does('capabilities', async () => ({ fhirVersion: (await client.capabilityStatement())['fhirVersion'] }))

  const created = await create(flag(), { prefer: 'return=representation' })
  const id = String(created['id'])
  await does('create', async () => ({ id, version: given(created)['version'] }))
  await does('create what is already removed', async () => given(await create(removed(flag()))))
  await does('conditional create', async () => given(await create(flag(), { 'if-none-exist': 'Flag?_id=x' })))
  for (let more = 0; more < 4; more++) await create(flag())

  const read = await client.read({ resourceType: 'Flag', id })
  await does('read', async () => given(read))
  await does('read compressed', async () => ({
    encoding: Client.httpFor(read).response?.headers.get('content-encoding'),
  }))
  await does('read what is not there', async () => given(await client.read({ resourceType: 'Flag', id: 'nobody' })))
  await does('read unless it is known', async () => ({
    changed: await client.read({ resourceType: 'Flag', id, options: { headers: { 'if-none-match': 'W/"1"' } } }).then(
      () => true,
      (error: { response: { status: number } }) => error.response.status !== 304,
    ),
  }))
  const search = (postSearch: boolean) =>
    client.search({ resourceType: 'Flag', searchParams: { subject: patient, _count: 2 }, options: { postSearch } })
  await does('search', async () => found(client, await search(false)))
  await does('search with POST', async () => found(client, await search(true)))

  const update = async (body: Json, headers: Record<string, string> = { 'if-match': 'W/"1"' }) => {
    const resource = { ...body, resourceType: 'Flag' }
    return given(await client.update({ resourceType: 'Flag', id, body: resource, options: { headers } }))
  }
  await does('update of another element', () => update(edited(read)))
  await does('update without a version', () => update(removed(read), {}))
  await does('removal without a comment', () => update(removed(read, withoutComment)))
  await does('removal', () => update(removed(read), { 'if-match': 'W/"1"', prefer: 'return=representation' }))
  await does('stale update', () => update(removed(read)))
  await does('vread', async () => given(await client.vread({ resourceType: 'Flag', id, version: '1' })))
  await does('history', async () => ({
    versions: entries(await client.history({ resourceType: 'Flag', id })).map((entry) => given(entry)['version']),
  }))

  const entry = { resource: read, request: { method: 'PUT', url: `Flag/${id}` } }
  const bundle = { resourceType: 'Bundle', type: 'transaction', entry: [entry] }
  await does('delete', () => client.delete({ resourceType: 'Flag', id }))
  await does('conditional delete', () => client.request(`Flag?_id=${id}`, { method: 'DELETE' }))
  await does('patch', () =>
    client.patch({ resourceType: 'Flag', id, jsonPatch: [{ op: 'replace', path: '/status', value: 'inactive' }] }),
  )
  await does('conditional update', () =>
    client.update({ resourceType: 'Flag', searchParams: { _id: id }, body: flag() }),
  )
  await does('transaction', () => client.transaction({ body: bundle }))
  return steps
}

/** What the client's error holds of a refusal. Anything else is a failure. */
function told(error: unknown): Pick<Step, 'refused'> {
  if (!(error instanceof Error && 'response' in error)) throw error
  const { status, data } = error.response as { status: number; data: { issue: OutcomeIssue[] } }
  const issues = data.issue.map(({ code, details, diagnostics, expression }) => ({
    issue: code,
    diagnostics,
    ...(details && { code: details.coding[0]!.code }),
    ...(expression && { expression: expression[0]! }),
  }))
  return { refused: { error: error.constructor.name, status, issues } }
}

interface OutcomeIssue {
  readonly code: Issue['issue']
  readonly details?: { readonly coding: readonly { readonly code: string }[] }
  readonly diagnostics: string
  readonly expression?: readonly string[]
}

function given(resource: FhirResource): Json {
  const { versionId } = resource['meta'] as { versionId: string }
  return { version: versionId, status: resource['status'] }
}

const entries = (bundle: FhirResource) => ((bundle as Bundle).entry ?? []).map(({ resource }) => resource)

/** All that a search finds, page by page, as the server's links lead. */
async function found(client: Client, first: FhirResource): Promise<Json> {
  const ids: unknown[] = []
  for (let page: FhirResource | undefined = first; page; page = await client.nextPage({ bundle: page as Bundle })) {
    ids.push(...entries(page).map((resource) => resource['id']))
  }
  return { ids }
}

const withoutComment = (extension: Json): Json => ({
  ...extension,
  extension: (extension['extension'] as Json[]).slice(0, 1),
})

function removed(record: FhirResource, change = (extension: Json) => extension): FhirResource {
  const contained = [...(record['contained'] as Json[]), provenance('p2', '#', 'UPDATE')]
  return { ...record, status: 'inactive', extension: [change(removal())], contained }
}

function edited(record: FhirResource): FhirResource {
  const after = structuredClone({ ...record }) as FhirResource & { code: { coding: Json[] } }
  after.code.coding[0]!['display'] = 'Easy Read'
  return after
}
