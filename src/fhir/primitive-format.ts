import { isFhirId } from './reading.ts'

interface Form {
  readonly test: (text: string) => boolean
  /** What a value of the type is. */
  readonly is: string
}

const date = /^(?!0000)(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?$/
const time = /^(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?$/
const zone = /(?:Z|[+-](?:0\d|1[0-3]):[0-5]\d|[+-]14:00)$/

/** https://hl7.org/fhir/R4/datatypes.html#primitive */
const forms: Readonly<Record<string, Form>> = {
  integer: { test: (text) => /^-?(?:0|[1-9]\d*)$/.test(text), is: 'a whole number' },
  integer64: { test: (text) => /^-?(?:0|[1-9]\d*)$/.test(text), is: 'a whole number' },
  unsignedInt: { test: (text) => /^(?:0|[1-9]\d*)$/.test(text), is: 'a whole number that is not negative' },
  positiveInt: { test: (text) => /^[1-9]\d*$/.test(text), is: 'a whole number from 1 on' },
  code: { test: (text) => /^\S+(?: \S+)*$/.test(text), is: 'without white space but for single spaces within' },
  id: { test: isFhirId, is: 'up to 64 letters, digits, `-` and `.`' },
  uri: { test: isUri, is: 'without white space' },
  url: { test: isUri, is: 'without white space' },
  canonical: { test: isUri, is: 'without white space' },
  oid: { test: (text) => /^urn:oid:[0-2](?:\.(?:0|[1-9]\d*))+$/.test(text), is: '`urn:oid:` and numbers with dots' },
  uuid: {
    test: (text) => /^urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text),
    is: '`urn:uuid:` and a UUID in lower case',
  },
  date: { test: isDate, is: 'written `2026`, `2026-01` or `2026-01-31`' },
  dateTime: {
    test: (text) => isDate(text) || isInstant(text),
    is: 'a date, or has time and zone: `2026-01-31T09:30:00Z`',
  },
  instant: { test: isInstant, is: 'written with time and zone: `2026-01-31T09:30:00Z`' },
  time: { test: (text) => time.test(text), is: 'written `09:30:00`' },
  base64Binary: { test: (text) => /^[0-9a-zA-Z+/\s]+={0,2}\s*$/.test(text), is: 'base64' },
}

/**
 * Why no element of a primitive type can have a value, as what such a value is: `a whole number`. Undefined when one
 * can have it. For what a policy compares with: a record is never refused for its form.
 */
export function impossibleValue(type: string, text: string): string | undefined {
  if (text === '') return 'never empty'
  const form = forms[type]
  return form && !form.test(text) ? form.is : undefined
}

function isUri(text: string): boolean {
  return !/\s/.test(text)
}

function isDate(text: string): boolean {
  const [, year, month, day] = date.exec(text) ?? []
  if (year === undefined) return false
  if (day === undefined) return true
  return new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCMonth() === Number(month) - 1
}

function isInstant(text: string): boolean {
  const [day = '', clock = ''] = text.split('T')
  return day.length === 10 && isDate(day) && zone.test(clock) && time.test(clock.replace(zone, ''))
}
