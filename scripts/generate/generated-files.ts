import { readFileSync, readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { format } from 'prettier'
import { caseReferencePage } from './case-reference-page.ts'
import { configurationPage } from './configuration-page.ts'
import { decisionRecordsPage } from './decision-records-page.ts'
import { decisionRecordJsonSchema, jsonSchemaOf, schemas, writeSchema } from './json-schemas.ts'
import { policyPage } from './policy-page.ts'
import { policyReferencePage } from './policy-reference-page.ts'
import { telemetryPage } from './telemetry-page.ts'

/** Every file that is made from the sources, by its path from the project's root. A test compares them with what is there. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>()
  for (const name of Object.keys(schemas) as (keyof typeof schemas)[]) {
    files.set(`config/schemas/${name}.schema.json`, writeSchema(jsonSchemaOf(name)))
  }
  files.set('config/schemas/decision-record.schema.json', writeSchema(decisionRecordJsonSchema()))
  files.set('docs/decision-records.md', decisionRecordsPage(template('decision-records')))
  files.set('docs/policy-reference.md', policyReferencePage(template('policy-reference')))
  files.set('docs/case-reference.md', caseReferencePage(template('case-reference')))
  files.set('docs/configuration.md', configurationPage(template('configuration')))
  files.set('docs/telemetry.md', telemetryPage(template('telemetry')))
  for (const path of readdirSync('config/policies').filter((name) => /(?<!\.cases)\.yaml$/.test(name))) {
    files.set(`docs/policies/${basename(path, '.yaml')}.md`, policyPage(`config/policies/${path}`))
  }
  // As `npm run format` would leave them, so that the two never disagree.
  const written = [...files].map(
    async ([path, text]) => [path, await format(text, { ...style, filepath: path })] as const,
  )
  return new Map(await Promise.all(written))
}

const style = JSON.parse(readFileSync('.prettierrc.json', 'utf8')) as object

const template = (name: string) => readFileSync(`scripts/generate/templates/${name}.md`, 'utf8')
