import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { startGatewayInFront } from './gateway-in-front.ts'
import {
  consent,
  content,
  flag,
  list,
  mediaType,
  removal,
  removed,
  withoutFirstCondition,
  written,
  type Format,
  type Json,
} from './records.ts'

/** Every row of the API's table of answers, live: through the gateway, in front of HAPI, in both formats. */
const hapi = inject('hapi').DSTU3
let gateway: Awaited<ReturnType<typeof startGatewayInFront>>
let next = 0

beforeAll(async () => {
  gateway = await startGatewayInFront(hapi)
})
afterAll(() => gateway.close())

const freshId = () => `rule-${process.pid}-${++next}`

interface Stored {
  readonly status: number
  readonly etag: string | null
  readonly content: Json | undefined
}

/** What HAPI itself has. */
async function stored(path: string): Promise<Stored> {
  const answer = await fetch(`${hapi}/${path}`, { headers: { accept: mediaType.json } })
  const text = await answer.text()
  return {
    status: answer.status,
    etag: answer.headers.get('etag'),
    content: answer.ok ? content(text, 'json') : undefined,
  }
}

/** Puts a record into HAPI, past the gateway, and gives what HAPI has of it. */
async function put(record: Json): Promise<{ path: string; record: Json; etag: string }> {
  const path = `${String(record['resourceType'])}/${String(record['id'])}`
  const answer = await fetch(`${hapi}/${path}`, {
    method: 'PUT',
    headers: { 'content-type': mediaType.json },
    body: JSON.stringify(record),
  })
  expect(answer.status).toBeLessThan(300)
  const now = await stored(path)
  return { path, record: now.content!, etag: now.etag! }
}

interface Sent {
  readonly format: Format
  readonly ifMatch?: string
  readonly body: string
  readonly contentType?: string
}

async function send(path: string, { format, ifMatch, body, contentType }: Sent) {
  const answer = await fetch(`${gateway.url}/${path}`, {
    method: 'PUT',
    headers: {
      'content-type': contentType ?? mediaType[format],
      accept: mediaType[format],
      ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
    },
    body,
  })
  const text = await answer.text()
  return { status: answer.status, etag: answer.headers.get('etag'), type: answer.headers.get('content-type'), text }
}

interface Issue {
  readonly code: string
  readonly details?: { readonly coding?: readonly { readonly code: string }[] }
  readonly expression?: readonly string[]
}

function issues(text: string, format: Format): { issue: string; code: string | undefined; at: string | undefined }[] {
  const outcome = content(text, format)
  expect(outcome['resourceType']).toBe('OperationOutcome')
  return (outcome['issue'] as Issue[]).map((issue) => ({
    issue: issue.code,
    code: issue.details?.coding?.[0]?.code,
    at: issue.expression?.[0],
  }))
}

describe.each(['json', 'xml'] as const)('in front of HAPI, in %s', (format) => {
  it.each([
    ['a Flag', flag, removed],
    ['a Consent', consent, removed],
    ['a Condition in a List', list, withoutFirstCondition],
  ])('the removal of %s is stored exactly as it was judged', async (_what, make, change) => {
    const { path, record, etag } = await put(make(freshId()))
    const after = change(record)
    const answer = await send(path, { format, ifMatch: etag, body: written(after, format) })
    expect([answer.status, answer.text.slice(0, 600)]).toEqual([200, expect.anything()])
    expect(answer.etag).toBe('W/"2"')
    expect(content(answer.text, format)['id']).toBe(record['id'])
    const now = await stored(path)
    expect(now.etag).toBe('W/"2"')
    expect(now.content).toEqual(after)
  })

  it('a PUT that changes nothing is answered with 200 and makes no new version', async () => {
    const { path, record, etag } = await put(flag(freshId()))
    const answer = await send(path, { format, ifMatch: etag, body: written(record, format) })
    expect(answer.status).toBe(200)
    expect((await stored(path)).etag).toBe(etag)
  })

  const edited = (record: Json): Json => ({ ...record, code: { text: 'Something else' } })
  it.each<
    [
      string,
      (record: Json) => Json,
      string | undefined | ((etag: string) => string | undefined),
      number,
      string,
      string,
      string | undefined,
    ]
  >([
    ['without If-Match', removed, undefined, 412, 'required', 'PRECONDITION_FAILED', undefined],
    ['with If-Match: *', removed, '*', 412, 'invalid', 'PRECONDITION_FAILED', undefined],
    ['with a list of ETags', removed, 'W/"1", W/"2"', 412, 'invalid', 'PRECONDITION_FAILED', undefined],
    ['with a bare version', removed, '1', 412, 'invalid', 'PRECONDITION_FAILED', undefined],
    [
      'of a version that is not the current one',
      removed,
      'W/"7"',
      409,
      'conflict',
      'RESOURCE_VERSION_MISMATCH',
      undefined,
    ],
    [
      'of a version that is written in another way',
      removed,
      'W/"01"',
      409,
      'conflict',
      'RESOURCE_VERSION_MISMATCH',
      undefined,
    ],
    ['that changes the code', edited, (etag) => etag, 403, 'business-rule', 'FORBIDDEN_UPDATE', 'Flag.code.coding'],
    [
      'to another status',
      (record) => ({ ...record, status: 'entered-in-error' }),
      (etag) => etag,
      403,
      'business-rule',
      'FORBIDDEN_UPDATE',
      'Flag.status',
    ],
    [
      'without reason and comment',
      (record) => ({ ...record, status: 'inactive' }),
      (etag) => etag,
      400,
      'required',
      'MISSING_VALUE',
      "Flag.extension('",
    ],
    [
      'with a blank comment',
      (record) => ({
        ...record,
        status: 'inactive',
        extension: [...(record['extension'] as Json[]), removal('Error', '\u00a0')],
      }),
      (etag) => etag,
      400,
      'required',
      'MISSING_VALUE',
      'Flag.extension[1].extension[1].value',
    ],
    [
      'with a reason that is not coded in the list',
      (record) => ({ ...record, status: 'inactive', extension: [...(record['extension'] as Json[]), removal('Whim')] }),
      (etag) => etag,
      400,
      'code-invalid',
      'INVALID_CODE_VALUE',
      'Flag.extension[1].extension[0].value.coding[0].code',
    ],
    [
      'whose id is not the one of the URL',
      (record) => removed({ ...record, id: 'another' }),
      (etag) => etag,
      400,
      'invalid',
      'INVALID_RESOURCE',
      'Flag.id',
    ],
  ])('an update %s is refused, and HAPI has what it had', async (_what, change, ifMatch, status, issue, code, at) => {
    const { path, record, etag } = await put(flag(freshId()))
    const tag = typeof ifMatch === 'function' ? ifMatch(etag) : ifMatch
    const body = written(change(record), format)
    const answer = await send(path, { format, body, ...(tag === undefined ? {} : { ifMatch: tag }) })
    expect([answer.status, answer.type]).toEqual([status, expect.stringContaining(mediaType[format])])
    const found = issues(answer.text, format)
    expect(found.map((one) => ({ ...one, at: one.at?.slice(0, at?.length) }))).toContainEqual({ issue, code, at })
    expect(await stored(path)).toEqual({ status: 200, etag, content: record })
  })

  it('every fault of an update is named at once', async () => {
    const { path, record, etag } = await put(flag(freshId()))
    const after = {
      ...edited(record),
      status: 'inactive',
      extension: [...(record['extension'] as Json[]), removal('Whim', ' ')],
    }
    const answer = await send(path, { format, ifMatch: etag, body: written(after, format) })
    expect(answer.status).toBe(403)
    expect(issues(answer.text, format).map(({ at }) => at)).toEqual(
      expect.arrayContaining(
        [
          'Flag.extension[1].extension[0].value.coding[0].code',
          'Flag.extension[1].extension[1].value',
          'Flag.code.coding',
          'Flag.code.text',
        ].map((part) => expect.stringContaining(part)),
      ),
    )
    expect(await stored(path)).toEqual({ status: 200, etag, content: record })
  })

  it.each([
    ['a body that is cut off', (text: string) => text.slice(0, -2), 400, 'structure', 'MESSAGE_NOT_WELL_FORMED'],
    ['a body of more than 1 MiB', (text: string) => text + ' '.repeat(1_100_000), 413, 'too-long', 'BAD_REQUEST'],
  ])('%s is refused', async (_what, spoil, status, issue, code) => {
    const { path, record, etag } = await put(flag(freshId()))
    const answer = await send(path, { format, ifMatch: etag, body: spoil(written(removed(record), format)) })
    expect(answer.status).toBe(status)
    expect(issues(answer.text, format)).toEqual([{ issue, code, at: undefined }])
    expect(await stored(path)).toEqual({ status: 200, etag, content: record })
  })

  it('a media type that is not offered is refused', async () => {
    const { path, record, etag } = await put(flag(freshId()))
    const answer = await send(path, {
      format,
      ifMatch: etag,
      body: written(removed(record), format),
      contentType: 'text/turtle',
    })
    expect(answer.status).toBe(415)
    expect(issues(answer.text, format)).toEqual([
      { issue: 'not-supported', code: 'UNSUPPORTED_MEDIA_TYPE', at: undefined },
    ])
    expect(await stored(path)).toEqual({ status: 200, etag, content: record })
  })

  it('an update of what does not exist creates nothing', async () => {
    const id = freshId()
    const answer = await send(`Flag/${id}`, { format, ifMatch: 'W/"1"', body: written(removed(flag(id)), format) })
    expect(answer.status).toBe(404)
    expect(issues(answer.text, format)).toEqual([{ issue: 'not-found', code: 'RESOURCE_NOT_FOUND', at: undefined }])
    expect((await stored(`Flag/${id}`)).status).toBe(404)
  })

  it.each(['W/"1"', 'W/"2"'])('an update of what was deleted, with %s, revives nothing', async (ifMatch) => {
    const { path, record } = await put(flag(freshId()))
    await fetch(`${hapi}/${path}`, { method: 'DELETE' })
    const answer = await send(path, { format, ifMatch, body: written(removed(record), format) })
    expect(answer.status).toBe(410)
    expect(issues(answer.text, format)).toEqual([{ issue: 'not-found', code: 'RESOURCE_NOT_FOUND', at: undefined }])
    expect((await stored(path)).status).toBe(410)
  })
})

/** HAPI would take each of these; through the gateway nothing happens. */
describe('an interaction that is not offered', () => {
  it.each<[string, string, (path: string, id: string) => string, string | undefined, string | undefined]>([
    ['DELETE', 'DELETE', (path) => path, undefined, undefined],
    ['a conditional DELETE', 'DELETE', (_path, id) => `Flag?_id=${id}`, undefined, undefined],
    ['DELETE of a version', 'DELETE', (path) => `${path}/_history/1`, undefined, undefined],
    [
      'JSON Patch',
      'PATCH',
      (path) => path,
      '[{"op":"replace","path":"/status","value":"inactive"}]',
      'application/json-patch+json',
    ],
    [
      'XML Patch',
      'PATCH',
      (path) => path,
      '<diff xmlns:f="http://hl7.org/fhir"><replace sel="f:Flag/f:status/@value">inactive</replace></diff>',
      'application/xml-patch+xml',
    ],
    ['a conditional update', 'PUT', (_path, id) => `Flag?_id=${id}`, 'removed', mediaType.json],
    ['a transaction', 'POST', () => '', 'transaction', mediaType.json],
    [
      '$meta-add',
      'POST',
      (path) => `${path}/$meta-add`,
      '{"resourceType":"Parameters","parameter":[{"name":"meta","valueMeta":{"tag":[{"code":"x"}]}}]}',
      mediaType.json,
    ],
    ['$expunge', 'POST', (path) => `${path}/$expunge`, '{"resourceType":"Parameters"}', mediaType.json],
  ])('%s is refused with Allow, and HAPI has what it had', async (_what, method, target, text, contentType) => {
    const { path, record, etag } = await put(flag(freshId()))
    const after = removed(record)
    const transaction = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [{ resource: after, request: { method: 'PUT', url: path } }],
    }
    const body =
      text === 'removed' ? JSON.stringify(after) : text === 'transaction' ? JSON.stringify(transaction) : text
    const relative = target(path, String(record['id']))
    const answer = await fetch(`${gateway.url}${relative === '' ? '' : `/${relative}`}`, {
      method,
      headers: { 'if-match': etag, ...(contentType ? { 'content-type': contentType } : {}) },
      ...(body === undefined ? {} : { body }),
    })
    expect(answer.status).toBe(405)
    expect(answer.headers.has('allow')).toBe(true)
    expect(issues(await answer.text(), 'json')).toEqual([
      { issue: 'not-supported', code: 'NOT_IMPLEMENTED', at: undefined },
    ])
    expect(await stored(path)).toEqual({ status: 200, etag, content: record })
  })
})

it('an operation that HAPI does not have is judged first, and then refused in HAPI’s words', async () => {
  const call = async (nhsNumber: string) => {
    const [reason, comment] = removal()['extension'] as [{ valueCodeableConcept: Json }, { valueString: string }]
    const answer = await fetch(`${gateway.url}/$removerarecord`, {
      method: 'POST',
      headers: { 'content-type': mediaType.json },
      body: JSON.stringify({
        resourceType: 'Parameters',
        parameter: [
          {
            name: 'removeRARecord',
            part: [
              { name: 'nhsNumber', valueString: nhsNumber },
              { name: 'removalReason', valueCodeableConcept: reason.valueCodeableConcept },
              { name: 'supportingComment', valueString: comment.valueString },
            ],
          },
        ],
      }),
    })
    return { status: answer.status, issues: issues(await answer.text(), 'json') }
  }
  expect(await call('9000000008')).toEqual({
    status: 400,
    issues: [{ issue: 'invalid', code: 'INVALID_NHS_NUMBER', at: 'Parameters.parameter[0].part[0].value' }],
  })
  expect(await call('9000000009')).toEqual({
    status: 400,
    issues: [{ issue: 'not-supported', code: undefined, at: undefined }],
  })
})
