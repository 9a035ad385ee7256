import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { jsonSchemaOf, schemas, type JsonSchema } from '../../../scripts/generate/json-schemas.ts'
import { readSource } from '../../../src/policy/source.ts'

type Name = keyof typeof schemas

const ajv = new Ajv({
  strict: true,
  keywords: ['markdownDescription', 'patternErrorMessage', 'errorMessage'],
  strictTypes: false,
  allowUnionTypes: true,
  validateFormats: false,
})
const validators = new Map((Object.keys(schemas) as Name[]).map((name) => [name, ajv.compile(jsonSchemaOf(name))]))

const dataOf = (text: string) => readSource('file.yaml', text).data
const byEditor = (name: Name, data: unknown) => validators.get(name)!(data)
const byGateway = (name: Name, data: unknown) => schemas[name].schema.safeParse(data).success

/** Every YAML file that people may take as a model, with the schema that its first line names. */
const shipped = ['config', 'config/policies']
  .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
  .filter((path) => path.endsWith('.yaml'))
  .map((path) => {
    const text = readFileSync(path, 'utf8')
    const named = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text)?.[1]
    return { path, text, schema: named && normalize(join(dirname(path), named)) }
  })

describe('the JSON Schemas', () => {
  it.each(shipped)('$path names its schema, and holds to it', ({ text, schema }) => {
    const name = (Object.keys(schemas) as Name[]).find((one) => schema === `config/schemas/${one}.schema.json`)
    expect(name).toBeDefined()
    byEditor(name!, dataOf(text))
    expect(validators.get(name!)!.errors).toBeNull()
  })

  const policy = (rules: string) =>
    `policy: p\nfhir: 4.0.1\nresources:\n  Flag:\n    interactions: [update]\n    update:\n${rules}`

  const base = (upstream: string) => `bases: [{ path: /a, policy: p.yaml, upstream: { ${upstream} } }]`

  it.each<[string, string]>([
    ['an upstream', base('url: http://localhost:8081/fhir/')],
    ['an upstream in capitals, without a path', base('url: HTTPS://FHIR.EXAMPLE')],
    ['an upstream by its address', base("url: 'http://[::1]:8080/r4'")],
    ['header fields', `${base('')}\nforward-header-fields: [X-Tenant, traceparent]\nrule-header-fields: [X-Role]`],
    ['sizes and durations', `${base('')}\nlimits: { body: 512 KiB }\ntimeouts: { drain: 1500ms, connect: 2 s }`],
    ['no cache', `${base('')}\ncache: off`],
  ])('take %s, in an editor as in the gateway', (_, text) => {
    expect({ editor: byEditor('gateway', dataOf(text)), gateway: byGateway('gateway', dataOf(text)) }).toEqual({
      editor: true,
      gateway: true,
    })
  })

  it.each<[string, Name, string]>([
    ['a gateway without bases', 'gateway', 'limits: {}'],
    ['a base without a policy', 'gateway', 'bases: [{ path: /a }]'],
    ['a path with a trailing slash', 'gateway', 'bases: [{ path: /a/, policy: p.yaml }]'],
    ['an unknown setting of the gateway', 'gateway', 'bases: [{ path: /a, policy: p.yaml }]\nlimit: {}'],
    ['a size without a unit', 'gateway', 'bases: [{ path: /a, policy: p.yaml }]\nlimits: { body: 100 }'],
    ['a size of another unit', 'gateway', 'bases: [{ path: /a, policy: p.yaml }]\nlimits: { body: 1 MB }'],
    ['a duration in words', 'gateway', 'bases: [{ path: /a, policy: p.yaml }]\ntimeouts: { drain: soon }'],
    ['a count of nothing', 'gateway', 'bases: [{ path: /a, policy: p.yaml }]\nlimits: { nesting: 0 }'],
    ['a cache that is neither on nor off', 'gateway', 'bases: [{ path: /a, policy: p.yaml }]\ncache: of'],
    ['an upstream of another scheme', 'gateway', base('url: ftp://fhir.example')],
    ['an upstream with a user', 'gateway', base("url: 'http://me@fhir.example/r4'")],
    ['an upstream with a query', 'gateway', base("url: 'http://fhir.example/r4?x=1'")],
    ['a header field of the gateway’s own', 'gateway', `${base('')}\nforward-header-fields: [If-Match]`],
    ['a header field that holds credentials', 'gateway', `${base('')}\nrule-header-fields: [authorization]`],
    ['a header field with a space', 'gateway', `${base('')}\nforward-header-fields: [X Tenant]`],
    ['a policy without a name', 'policy', 'fhir: 4.0.1\nresources: {}'],
    ['an unknown setting of a rule', 'policy', policy('      if-mach: required\n')],
    ['an unknown interaction', 'policy', 'policy: p\nfhir: 4.0.1\nresources: { Flag: { interactions: [raed] } }'],
    ['a status that is none', 'policy', policy('      otherwise: { status: 200 }\n')],
    ['a change without parts', 'policy', policy('      changes: { removal: [] }\n')],
    ['a part of no kind known', 'policy', policy('      changes: { removal: [{ changed: status }] }\n')],
    ['times that are none', 'policy', policy('      changes: { removal: [{ added: note, times: often }] }\n')],
    ['an unknown cause', 'policy', 'policy: p\nfhir: 4.0.1\nanswers: { no-match: {} }\nresources: {}'],
    ['a file without cases', 'cases', 'resources: {}'],
    ['a case without a sentence', 'cases', 'cases: [{ before: flag, change: [], permit: no-change }]'],
    [
      'a resource that says nothing of its type',
      'cases',
      'resources: { flag: { status: active } }\ncases: [{ case: c }]',
    ],
    ['an operation that JSON Patch does not know', 'cases', 'cases: [{ case: c, change: [{ op: put, path: /a }] }]'],
    ['an unknown feature of a refusal', 'cases', 'cases: [{ case: c, refuse: [{ path: Flag.status }] }]'],
  ])('refuse %s, in an editor as in the gateway', (_, name, text) => {
    expect({ editor: byEditor(name, dataOf(text)), gateway: byGateway(name, dataOf(text)) }).toEqual({
      editor: false,
      gateway: false,
    })
  })

  const examples = [...readFileSync('docs/policy-reference.md', 'utf8').matchAll(/^```yaml\n(?!#)(.*?)^```$/gms)]

  it.each(examples.map(([, yaml]) => yaml!))('take the example of the reference:\n%s', (yaml) => {
    const { definitions, ...policy } = jsonSchemaOf('policy')
    // A piece of a policy: of one of the objects, without what it needs beside that.
    const pieces = [policy, ...Object.values(definitions!)].flatMap((one) => (one.anyOf ? [one, ...one.anyOf] : [one]))
    const validates = (piece: JsonSchema) =>
      piece.properties !== undefined && ajv.compile({ ...piece, required: [], definitions })(dataOf(yaml))
    expect(examples.length).toBeGreaterThan(5)
    expect(pieces.some(validates)).toBe(true)
  })

  it.each(Object.keys(schemas) as Name[])('say of every setting of %s what it is for', (name) => {
    const bare: string[] = []
    const visit = (schema: JsonSchema, path: string): void => {
      for (const [key, setting] of Object.entries(schema.properties ?? {})) {
        const described = setting.description !== undefined || setting.$ref !== undefined
        if (!described) bare.push(`${path}.${key}`)
        visit(setting, `${path}.${key}`)
      }
      for (const one of schema.anyOf ?? []) visit(one, path)
      if (schema.items) visit(schema.items, `${path}[]`)
      if (typeof schema.additionalProperties === 'object') visit(schema.additionalProperties, `${path}.*`)
    }
    const schema = jsonSchemaOf(name)
    visit(schema, name)
    for (const [key, definition] of Object.entries(schema.definitions ?? {})) visit(definition, key)
    expect(bare).toEqual([])
  })
})
