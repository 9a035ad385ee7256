import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { coloured, plain } from '../../../src/cli/colour.ts'
import { explainWrite, type ExplainOptions } from '../../../src/cli/explain.ts'
import type { Explained } from '../../../src/cli/explanation-text.ts'
import { definitionsOf } from '../../../src/fhir/definitions.ts'
import { parseJson } from '../../../src/fhir/json.ts'
import { writeXml } from '../../../src/fhir/xml.ts'

const stored = 'config/sandbox/flag-2.json'
const removed = 'config/sandbox/try/flag-2-removed.json'
const edited = 'config/sandbox/try/flag-2-edited.json'

const explain = (options: Partial<ExplainOptions>) =>
  explainWrite({
    policyFile: undefined,
    configPath: 'config',
    before: undefined,
    after: undefined,
    interaction: undefined,
    operation: undefined,
    bases: [],
    headers: [],
    headerFile: undefined,
    json: false,
    colours: plain,
    stdin: () => Promise.reject(new Error('nobody asked for standard input')),
    ...options,
  })

async function explained(options: Partial<ExplainOptions>): Promise<Explained> {
  const { exitCode, text } = await explain({ ...options, json: true })
  if (exitCode !== 0) throw new Error(text)
  return JSON.parse(text) as Explained
}

function file(name: string, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'explain-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

type Json = Record<string, unknown>

const changed = (change: (record: Json) => void) => {
  const record = JSON.parse(readFileSync(removed, 'utf8')) as Json
  change(record)
  return JSON.stringify(record)
}

const comment = (record: Json) => ((record['extension'] as Json[])[1]!['extension'] as Json[])[1]!

describe('explain', () => {
  it('tells of a permit which part claimed which element', async () => {
    const { text } = await explain({ before: stored, after: removed })
    expect(text).toBe(`update Flag, by nhs-reasonable-adjustments (FHIR 3.0.2)

What differs
  Flag.extension[1]  added     removal
  Flag.status        replaced  removal

Flag.update.removal: complete
  ✓ status              fit  Flag.status
  ✓ reason-and-comment  fit  Flag.extension[1]
  · update-provenance   absent, as it may be
  · updated-link        absent, as it may be

Permitted as removal.
`)
  })

  it('tells of a refusal what nobody claims, and the answer in the words of the OperationOutcome', async () => {
    const { text } = await explain({ before: stored, after: edited })
    expect(text).toContain('  Flag.code.text  replaced  nobody claims it\n')
    expect(text).toContain('Flag.update.removal: not begun\n')
    expect(text).toContain(`Refused with 403.
  error business-rule FORBIDDEN_UPDATE  Only the status may change, from active to inactive.
      Flag.code.text differs from the stored version. Leave it as it was; to correct an item, remove it and create a new one.
      at Flag.code.text
`)
  })

  it('tells the condition that failed inside of a part', async () => {
    const after = changed((record) => (comment(record)['valueString'] = '  '))
    const { explanation, answer } = await explained({
      before: stored,
      after: '-',
      stdin: async () => Buffer.from(after),
    })
    const [{ occurrences }] = explanation!.changes as [(typeof explanation & {})['changes'][number]]
    expect(occurrences.map(({ verdict }) => verdict)).toEqual(['begun'])
    const part = occurrences[0]!.parts.find(({ name }) => name === 'reason-and-comment')!
    expect(part.verdict).toBe('flawed')
    expect(part.shortcomings).toEqual([
      {
        rule: expect.stringMatching(/^Flag\.update\.removal\.reason-and-comment\/.*valueString$/),
        expression: 'Flag.extension[1].extension[1].value',
        sentence: expect.stringContaining('Flag.extension[1].extension[1].value is blank. '),
      },
    ])
    expect(answer!.status).toBe(400)
    expect(answer!.issues.map(({ diagnostics }) => diagnostics)).toEqual(
      part.shortcomings.map(({ sentence }) => sentence),
    )
  })

  it('says that a part is near when the right element makes the wrong transition', async () => {
    const before = file('removed.json', readFileSync(removed, 'utf8'))
    const { explanation } = await explained({ before, after: stored })
    const parts = explanation!.changes[0]!.occurrences[0]!.parts
    expect(parts[0]).toMatchObject({ name: 'status', verdict: 'near', elements: [{ expression: 'Flag.status' }] })
  })

  it('tells each item of a for each, and that a change has none', async () => {
    const list = JSON.parse(readFileSync('config/sandbox/list-1.json', 'utf8')) as { contained: Json[] }
    list.contained[0]!['clinicalStatus'] = 'inactive'
    const { explanation } = await explained({
      before: 'config/sandbox/list-1.json',
      after: file('l', JSON.stringify(list)),
    })
    const [removal, addition] = explanation!.changes
    expect(removal!.occurrences.map(({ item, verdict }) => [item, verdict])).toContainEqual([
      'List.contained[0]',
      'begun',
    ])
    expect(addition).toMatchObject({ name: 'add-condition', occurrences: [] })
  })

  it('explains a create, a delete that is not open, and an operation', async () => {
    expect(await explained({ after: stored })).toMatchObject({
      interaction: 'create',
      verdict: 'permit',
      permittedAs: ['new'],
    })
    const deleted = await explained({ before: stored })
    expect(deleted).toMatchObject({ interaction: 'delete', verdict: 'deny', answer: { status: 405 } })
    expect(deleted.explanation).toBeUndefined()
    const after = file(
      'p.json',
      JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'x', valueString: 'y' }] }),
    )
    const operation = await explained({ operation: '$removerarecord', after })
    expect(operation).toMatchObject({ interaction: 'operation', verdict: 'deny', answer: { status: 400 } })
    expect(operation.explanation!.ruleSet).toContain('$removerarecord')
  })

  it('tells what the rest permits, and what it does not', async () => {
    const observation = {
      resourceType: 'Observation',
      id: 'o',
      status: 'final',
      code: { text: 'a' },
      subject: { reference: 'Patient/1' },
    }
    const { explanation, verdict } = await explained({
      policyFile: 'config/policies/general-r4.yaml',
      before: file('b', JSON.stringify(observation)),
      after: file('a', JSON.stringify({ ...observation, code: { text: 'b' }, subject: { reference: 'Patient/2' } })),
    })
    expect(verdict).toBe('deny')
    expect(explanation!.rest).toMatchObject({ name: 'edit', elements: ['Observation.code.text'] })
    expect(explanation!.differences).toEqual([
      { expression: 'Observation.code.text', kind: 'replaced', claimedBy: ['edit'] },
      { expression: 'Observation.subject.reference', kind: 'replaced', claimedBy: [] },
    ])
  })

  it('tells of each invariant whether it was kept', async () => {
    const policyFile = file(
      'p.yaml',
      `policy: p
fhir: 4.0.1
summary: s
resources:
  Flag:
    interactions: [read, update]
    update:
      if-match: required
      changes: { removal: [{ replaced: status, from: active, to: inactive }] }
      invariants:
        - { rule: it has an author, require: '%after.author.exists()' }
        - { rule: it has an identifier, require: '%after.identifier.exists()', at: identifier }
        - { rule: what was entered in error stays, when: "%before.status = 'entered-in-error'", require: 'false' }
`,
    )
    const flag = { resourceType: 'Flag', id: '1', status: 'active', author: { display: 'a' } }
    const sides = {
      before: file('b', JSON.stringify(flag)),
      after: file('a', JSON.stringify({ ...flag, status: 'inactive' })),
    }
    const { explanation } = await explained({ policyFile, ...sides })
    expect(explanation!.invariants.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['it has an author', 'kept'],
      ['it has an identifier', 'broken'],
      ['what was entered in error stays', 'not-applicable'],
    ])
    const { text } = await explain({ policyFile, ...sides })
    expect(text).toContain(`invariants
  ✓ it has an author                 kept
  ✗ it has an identifier             broken
      Flag.identifier breaks the rule \`it has an identifier\`.`)
    expect(text).toContain('  · what was entered in error stays  does not apply\n')
  })

  it('tells FHIR XML from FHIR JSON by the content', async () => {
    const definitions = definitionsOf('STU3')
    const xml = (name: string) => {
      const read = parseJson(readFileSync(name, 'utf8'), definitions)
      if (!read.ok) throw new Error('not a resource')
      return writeXml(read.value)
    }
    const both = { before: file('b.txt', xml(stored)), after: file('a.txt', `\n${xml(removed)}`) }
    expect(await explained(both)).toMatchObject({ verdict: 'permit', permittedAs: ['removal'] })
  })

  it.each([
    ['a malformed body', '{ "resourceType": "Flag", "id": "2", "status": {} }', 'MESSAGE_NOT_WELL_FORMED'],
    ['another type', '{ "resourceType": "Consent", "id": "2", "status": "active" }', 'INVALID_RESOURCE'],
    ['another id', changed((record) => (record['id'] = 'other')), 'INVALID_RESOURCE'],
  ])('gives the answer to %s', async (_what, after, code) => {
    const { answer, explanation } = await explained({ before: stored, after: file('a.json', after) })
    expect(answer).toMatchObject({ status: 400 })
    expect(answer!.issues[0]!.details!.coding).toMatchObject([{ code }])
    expect(explanation).toBeUndefined()
  })

  it('compares the ids of versions no more than the gateway does: meta.versionId and lastUpdated are the server’s', async () => {
    const after = changed(
      (record) =>
        (record['meta'] = { ...(record['meta'] as Json), versionId: '7', lastUpdated: '2026-01-01T00:00:00Z' }),
    )
    expect(await explained({ before: stored, after: file('a', after) })).toMatchObject({ verdict: 'permit' })
  })

  it('prints no content of a record, neither as text nor as JSON', async () => {
    const secret = 'unspeakable'
    const after = file(
      'a',
      changed((record) => {
        comment(record)['valueString'] = secret
        ;(record['code'] as Json)['text'] = secret
        record['subject'] = { reference: `Patient/${secret}` }
      }),
    )
    for (const json of [true, false]) {
      const { text } = await explain({ before: stored, after, json })
      expect(text).not.toContain(secret)
      expect(text).toContain('Flag.subject')
    }
  })

  it('is coloured only where that is wanted', async () => {
    const escape = '\u001B['
    expect((await explain({ before: stored, after: edited, colours: coloured })).text).toContain(escape)
    expect((await explain({ before: stored, after: edited })).text).not.toContain(escape)
  })

  it.each([
    [{}, 'Name what is to be judged'],
    [{ before: '-', after: '-' }, 'Standard input can stand for one'],
    [{ after: '/does/not/exist' }, '--after: There is no such file.'],
    [{ after: '.' }, '--after: The file cannot be read.'],
    [{ after: stored, policyFile: '/none.yaml' }, '--policy: There is no file /none.yaml.'],
    [{ after: stored, policyFile: 'package.json' }, 'errors in 1 policy. Nothing was loaded.'],
    [{ after: stored, interaction: 'updat' }, 'Did you mean `update`?'],
    [{ after: stored, interaction: 'update' }, '--interaction: an update has --before and --after.'],
    [{ before: stored, after: stored, interaction: 'create' }, '--interaction: a create has --after and no --before.'],
    [{ before: stored, operation: '$x' }, '--operation: an operation is judged by its Parameters alone'],
    [{ after: stored, operation: 'x' }, '--operation: expected $name, [type]/$name or [type]/[id]/$name.'],
    [{ after: stored, bases: ['x'] }, '--base: expected an absolute http(s) URL'],
    [{ after: 'http://127.0.0.1:1/fhir/Flag?x=1' }, '--after: Expected the URL of a resource'],
    [{ after: 'http://user:secret@127.0.0.1:1/fhir/Flag/1' }, '--after: Expected the URL of a resource'],
    [{ after: stored, headers: ['Authorization'] }, '--header: expected a header field'],
    [{ after: stored, headers: ['Authorization: Bearer secret\n'] }, '--header: expected a header field'],
    [{ after: stored, headers: ['Host: secret'] }, '--header: host is a header field that is made here.'],
    [{ after: stored, headerFile: '/none' }, '--header-file: expected a file that can be read.'],
    [
      { before: 'http://a.example/Flag/1', after: 'http://b.example/Flag/1', headers: ['A: secret'] },
      'would go to two servers',
    ],
    [{ before: 'package.json', after: stored }, '--before: the gateway could not read this stored resource.'],
  ] satisfies [Partial<ExplainOptions>, string][])('%j is a mistake', async (options, sentence) => {
    const { exitCode, text } = await explain(options)
    expect(exitCode).toBe(2)
    expect(text).toContain(sentence)
    expect(text).not.toContain('secret')
  })
})
