import { fill } from './fill.ts'
import { decisionRecordJsonSchema } from './json-schemas.ts'
import { settingsTable } from './settings-table.ts'

/** docs/decision-records.md: every field of a decision record. */
export function decisionRecordsPage(template: string): string {
  const schema = decisionRecordJsonSchema()
  return fill(template, {
    fields: (name) =>
      settingsTable(
        name === 'record' ? schema : schema.definitions![name]!,
        (definition) => `[${definition}](#${definition})`,
      ).replace('| setting', '| field'),
  })
}
