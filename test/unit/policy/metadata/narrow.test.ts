import { describe, expect, it } from 'vitest'
import { parseJson, writeJson } from '../../../../src/fhir/json.ts'
import { parseXml, writeXml } from '../../../../src/fhir/xml.ts'
import { narrowStatement } from '../../../../src/policy/metadata/narrow.ts'
import type { Told } from '../../../../src/policy/metadata/told.ts'
import type { Policy } from '../../../../src/policy/policy.ts'
import { compiled } from '../small-policy.ts'

const told: Told = {
  url: 'https://gateway.example/R4',
  ownUrl: (text) => text.replace(/^http:\/\/hapi\/fhir(?=\/|$)/, 'https://gateway.example/R4'),
  pinsDeletes: true,
  patchTypes: ['application/json-patch+json', 'application/fhir+json'],
  cors: false,
}

const every = [
  'read',
  'vread',
  'update',
  'patch',
  'delete',
  'history-instance',
  'history-type',
  'create',
  'search-type',
]
const codes = (...names: string[]) => names.map((code) => ({ code }))

const flag = {
  type: 'Flag',
  profile: 'http://hl7.org/fhir/StructureDefinition/Flag',
  interaction: codes(...every),
  versioning: 'versioned',
  readHistory: true,
  updateCreate: true,
  conditionalCreate: true,
  conditionalRead: 'full-support',
  conditionalUpdate: true,
  conditionalDelete: 'multiple',
  searchInclude: ['Flag:patient'],
  searchRevInclude: ['List:item'],
  searchParam: [{ name: 'patient', type: 'reference' }],
  operation: [
    { name: '$everything', definition: 'http://hapi/fhir/OperationDefinition/e' },
    { name: 'meta-add', definition: 'http://hapi/fhir/OperationDefinition/m' },
  ],
}

/** All that a server can offer, of two types. */
const statement = {
  resourceType: 'CapabilityStatement',
  text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">DELETE</div>' },
  url: 'http://hapi/fhir/metadata',
  status: 'active',
  date: '2026-01-01',
  kind: 'instance',
  implementation: { description: 'HAPI', url: 'http://hapi/fhir' },
  fhirVersion: '4.0.1',
  format: ['application/fhir+json', 'json', 'application/fhir+xml', 'html/json', 'ttl'],
  patchFormat: ['application/json-patch+json', 'application/xml-patch+xml', 'application/fhir+json'],
  rest: [
    {
      extension: [
        { url: 'http://hl7.org/fhir/StructureDefinition/capabilitystatement-websocket', valueUri: 'ws://hapi' },
        { url: 'http://hl7.org/fhir/StructureDefinition/capabilitystatement-expectation', valueCode: 'SHALL' },
      ],
      mode: 'server',
      documentation: 'Ours.',
      security: { cors: true, description: 'Ask us.' },
      resource: [flag, { ...flag, type: 'Patient' }],
      interaction: codes('transaction', 'batch', 'search-system', 'history-system'),
      searchParam: [{ name: '_id', type: 'token' }],
      operation: [
        { name: 'reindex', definition: 'http://hapi/fhir/OperationDefinition/r' },
        { name: 'match', definition: 'http://elsewhere/OperationDefinition/r' },
      ],
      compartment: ['http://hl7.org/fhir/CompartmentDefinition/patient'],
    },
    { mode: 'client', resource: [flag] },
  ],
  messaging: [{ documentation: 'POST [base]/$process-message' }],
}

const policyWith = (flagPolicy: string, more = '') =>
  compiled(
    `policy: p\nfhir: 4.0.1\nsummary: Flags.\n${more}resources:\n  Flag:\n${flagPolicy.replaceAll(/^/gm, '    ')}`,
  )

const open = policyWith(`interactions: [read, vread, search-type, create, update]
create: { changes: { new: [{ added: $this, open: true }] } }
update: { if-match: required, changes: { removal: [{ replaced: status, from: active, to: inactive }] } }`)

type Json = Readonly<Record<string, unknown>>

function narrowed(policy: Policy, changes: Partial<Told> = {}, of: object = statement): any {
  const read = parseJson(JSON.stringify(of), policy.definitions)
  if (!read.ok) throw new Error(JSON.stringify(read.faults))
  return JSON.parse(writeJson(narrowStatement(read.value, policy, { ...told, ...changes })))
}

const restOf = (json: any) => json.rest[0]
const flagOf = (json: any) => restOf(json).resource.find(({ type }: Json) => type === 'Flag')
const codesOf = (of: any): string[] => (of.interaction ?? []).map(({ code }: { code: string }) => code)

describe('a CapabilityStatement narrowed to a policy', () => {
  it('names the types and interactions that the policy opens, and no other', () => {
    const json = narrowed(open)
    expect(restOf(json).resource.map(({ type }: Json) => type)).toEqual(['Flag'])
    expect(codesOf(flagOf(json))).toEqual(['read', 'vread', 'update', 'create', 'search-type'])
    expect(restOf(json)).not.toHaveProperty('interaction')
    expect(restOf(json)).not.toHaveProperty('operation')
  })

  it('never adds what the server does not offer', () => {
    const only = { ...statement, rest: [{ mode: 'server', resource: [{ type: 'Flag', interaction: codes('read') }] }] }
    const json = narrowed(open, {}, only)
    expect(codesOf(flagOf(json))).toEqual(['read'])
    expect(flagOf(json)).toMatchObject({ conditionalCreate: false, updateCreate: false, readHistory: false })
    expect(flagOf(json)).not.toHaveProperty('searchParam')
    expect(json).not.toHaveProperty('patchFormat')
    expect(restOf(json)).not.toHaveProperty('security')
  })

  it('tells of a type what the gateway asks and does', () => {
    expect(flagOf(narrowed(open))).toMatchObject({
      versioning: 'versioned-update',
      readHistory: true,
      updateCreate: false,
      conditionalCreate: false,
      conditionalRead: 'full-support',
      conditionalUpdate: false,
      conditionalDelete: 'not-supported',
      searchInclude: ['Flag:patient'],
      searchParam: [{ name: 'patient' }],
    })
  })

  it('tells what is open by criteria; a delete of one at a time', () => {
    const policy = policyWith(`interactions: [create, update, delete, patch]
conditional: [create, update, delete, patch]
create: { changes: { new: [{ added: $this, open: true }] } }
update: { if-match: optional, rest: { permit-as: edit } }
delete: { if-match: optional, changes: { gone: [{ removed: $this, open: true }] } }`)
    const json = narrowed(policy)
    expect(flagOf(json)).toMatchObject({
      versioning: 'versioned',
      readHistory: false,
      conditionalCreate: true,
      conditionalUpdate: true,
      conditionalDelete: 'single',
      searchParam: [{ name: 'patient' }],
    })
    expect(flagOf(json)).not.toHaveProperty('conditionalRead')
    expect(flagOf(json)).not.toHaveProperty('searchInclude')
    expect(json.patchFormat).toEqual(['application/json-patch+json', 'application/fhir+json'])
    const unpinned = flagOf(narrowed(policy, { pinsDeletes: false }))
    expect(codesOf(unpinned)).toEqual(['update', 'patch', 'create'])
    expect(unpinned.conditionalDelete).toBe('not-supported')
  })

  it.each<[ifMatch: string, mode: string, upstream: string, told: string]>([
    ['required', 'enforce', 'no-version', 'versioned-update'],
    ['required', 'report', 'versioned', 'versioned'],
    ['required', 'report', 'versioned-update', 'versioned'],
    ['optional', 'enforce', 'versioned-update', 'versioned'],
    ['forbidden', 'enforce', 'versioned', 'versioned'],
    ['forbidden', 'enforce', 'no-version', 'no-version'],
  ])('with If-Match %s in %s mode, a server with %s is one with %s', (ifMatch, mode, upstream, expected) => {
    const policy = policyWith(
      `interactions: [update]\nupdate: { mode: ${mode}, if-match: ${ifMatch}, rest: { permit-as: edit } }`,
    )
    const of = { ...statement, rest: [{ mode: 'server', resource: [{ ...flag, versioning: upstream }] }] }
    expect(flagOf(narrowed(policy, {}, of)).versioning).toBe(expected)
  })

  it('tells the interactions and operations of the base, and those of types, that are open', () => {
    const policy = policyWith(
      `interactions: [read]\ninstance-operations: { $everything: { methods: [GET] } }`,
      'system: { interactions: [batch, history-system], operations: { $match: { methods: [POST] } } }\n',
    )
    const json = narrowed(policy)
    expect(codesOf(restOf(json))).toEqual(['batch', 'history-system'])
    expect(restOf(json).operation).toEqual([{ name: 'match', definition: 'http://elsewhere/OperationDefinition/r' }])
    expect(flagOf(json).operation).toEqual([
      { name: '$everything', definition: 'https://gateway.example/R4/OperationDefinition/e' },
    ])
  })

  it('tells in report mode all that can be carried', () => {
    const policy = policyWith('interactions: [read]', 'mode: report\n')
    const json = narrowed(policy)
    expect(restOf(json).resource.map(({ type }: Json) => type)).toEqual(['Flag', 'Patient'])
    expect(codesOf(flagOf(json))).toEqual(every)
    expect(codesOf(flagOf(narrowed(policy, { pinsDeletes: false })))).not.toContain('delete')
    expect(codesOf(restOf(json))).toEqual(['transaction', 'batch', 'search-system', 'history-system'])
    expect(flagOf(json)).toMatchObject({
      versioning: 'versioned',
      updateCreate: false,
      conditionalCreate: true,
      conditionalUpdate: true,
      conditionalDelete: 'single',
      operation: flag.operation.map(({ name }) => ({ name })),
    })
    expect(restOf(json).documentation).toContain('report mode')
  })

  it('leaves out what does not go through at all', () => {
    const json = narrowed(open)
    for (const name of ['text', 'messaging']) expect(json).not.toHaveProperty(name)
    expect(json.rest).toHaveLength(1)
    expect(restOf(json)).not.toHaveProperty('compartment')
    expect(restOf(json).extension.map(({ url }: Json) => url)).toEqual([
      'http://hl7.org/fhir/StructureDefinition/capabilitystatement-expectation',
    ])
    expect(json.format).toEqual(['application/fhir+json', 'json', 'application/fhir+xml'])
  })

  it('has the gateway’s URL, and none below the server’s base', () => {
    const json = narrowed(open)
    expect(json.implementation).toEqual({ description: 'HAPI', url: told.url })
    expect(JSON.stringify(json)).not.toContain('hapi/fhir')
    const { implementation: _, ...without } = statement
    expect(narrowed(open, {}, without).implementation).toMatchObject({ url: told.url })
    expect(narrowed(open, {}, { ...without, kind: 'capability' })).not.toHaveProperty('implementation')
  })

  it('names the policy and its rules, before what the server says', () => {
    const json = narrowed(open)
    expect(restOf(json).documentation).toMatch(/policy `p@[0-9a-f]{12}` permits\. Flags\.[^]*\n\nOurs\.$/)
    const update = flagOf(json).interaction.find(({ code }: Json) => code === 'update')
    expect(update.documentation).toMatch(/If-Match[^]*`removal`: `status` goes from `active` to `inactive`/)
    expect(flagOf(json).interaction[0]).toEqual({ code: 'read' })
  })

  it('tells the rules for every other type once', () => {
    const policy = compiled(
      `policy: p\nfhir: 4.0.1\nresources: { '*': { interactions: [update], update: { if-match: required, rest: { permit-as: edit } } } }`,
    )
    const json = narrowed(policy)
    expect(restOf(json).resource).toHaveLength(2)
    expect(restOf(json).documentation).toContain('Anything may change, as `edit`.')
    expect(flagOf(json).interaction[0].documentation).toMatch(/If-Match[^]*“Every other type”/)
  })

  it('says of CORS and of tokens what the gateway itself does', () => {
    expect(restOf(narrowed(open)).security).toEqual({ cors: false, description: 'Ask us.' })
    const security = { service: 'SMART-on-FHIR', description: 'A bearer token.' } as const
    expect(restOf(narrowed(open, { cors: true, security })).security).toEqual({
      cors: true,
      service: [
        {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR' }],
        },
      ],
      description: 'A bearer token.',
    })
  })

  it('comes to the same in JSON and in XML, with the elements in FHIR’s order', () => {
    const read = parseJson(JSON.stringify(statement), open.definitions)
    if (!read.ok) throw new Error(JSON.stringify(read.faults))
    const xml = parseXml(writeXml(read.value), open.definitions)
    if (!xml.ok) throw new Error(JSON.stringify(xml.faults))
    const written = writeXml(narrowStatement(xml.value, open, told))
    const again = parseXml(written, open.definitions)
    if (!again.ok) throw new Error(JSON.stringify(again.faults))
    expect(JSON.parse(writeJson(again.value))).toEqual(narrowed(open))
    expect(written).toMatch(
      /<rest>.*<mode .*<documentation .*<security>.*<resource>.*<type .*<profile .*<interaction>.*<versioning .*<readHistory .*<updateCreate .*<conditionalCreate .*<conditionalRead .*<searchParam>.*<\/rest>/,
    )
  })
})

describe('a CapabilityStatement of STU3', () => {
  const policy = compiled(`policy: p
fhir: 3.0.2
system: { interactions: [], operations: { $whole: { methods: [POST] } } }
resources:
  Flag: { interactions: [read], operations: { $mine: { methods: [GET] } } }
  Patient: { interactions: [], instance-operations: { $mine: { methods: [GET] } } }`)
  const operation = (name: string) => ({ name, definition: { reference: 'OperationDefinition/x' } })
  const stu3 = {
    resourceType: 'CapabilityStatement',
    status: 'active',
    kind: 'instance',
    implementation: { url: 'http://hapi/fhir' },
    fhirVersion: '3.0.2',
    acceptUnknown: 'both',
    format: ['json'],
    rest: [
      {
        mode: 'server',
        resource: [
          {
            type: 'Flag',
            profile: { reference: 'http://hl7.org/fhir/Profile/Flag' },
            interaction: codes('read', 'update'),
          },
          { type: 'Patient', interaction: codes('update') },
        ],
        operation: ['whole', 'mine', 'other'].map(operation),
      },
    ],
  }

  it('has operations of every level on the base, and no type without an interaction', () => {
    const json = narrowed(policy, {}, stu3)
    expect(restOf(json).resource).toEqual([
      {
        type: 'Flag',
        profile: { reference: 'http://hl7.org/fhir/Profile/Flag' },
        interaction: [{ code: 'read' }],
        readHistory: false,
        updateCreate: false,
        conditionalCreate: false,
        conditionalUpdate: false,
        conditionalDelete: 'not-supported',
      },
    ])
    expect(restOf(json).operation).toEqual(['whole', 'mine'].map(operation))
    expect(json.implementation).toEqual({ description: 'A FHIR server behind fhir-policy-gateway', url: told.url })
  })

  it('names a security service by STU3’s own system', () => {
    const security = { service: 'OAuth', description: 'x' } as const
    expect(restOf(narrowed(policy, { security }, stu3)).security.service).toEqual([
      { coding: [{ system: 'http://hl7.org/fhir/restful-security-service', code: 'OAuth' }] },
    ])
  })
})
