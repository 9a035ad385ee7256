import { isDeepStrictEqual } from 'node:util'
import { readResource, writeResource } from '../../src/fhir/body.ts'
import { definitionsOf } from '../../src/fhir/definitions.ts'
import { sameElement } from '../../src/fhir/element.ts'
import { readJsonThoroughly, writeJson } from '../../src/fhir/json.ts'
import { readJsonStraight } from '../../src/fhir/json-straight.ts'
import { readXmlStraight } from '../../src/fhir/xml-straight.ts'
import { readXmlThoroughly, writeXml } from '../../src/fhir/xml.ts'
import { decodeUtf8 } from '../../src/fhir/unicode.ts'
import { changed } from './changes.ts'
import { damaged } from './mutate-bytes.ts'
import type { JsonObject } from './plain-json.ts'
import { randomOfRun } from './random.ts'
import { storedResource } from './resources.ts'
import { read, type Format } from './routes.ts'

const definitions = definitionsOf('STU3')
const bounds = { nesting: 20 }

const tokens: Readonly<Record<Format, readonly string[]>> = {
  json: [
    ['{', '}', '[', ']', ',', ':', '"', '\\', '\\u0000', '\\ud800', '\\/', 'null', 'true', '[]', '{}', '[null]', '""'],
    ['1e400', '-0', '0.10', '01', '1.', '/**/', '\xef\xbb\xbf', '\xed\xa0\x80', '\xc0\xaf', '\xff', '\0', '\x0b'],
    ['"__proto__":{},', '"constructor":{},', '"resourceType":"Flag",', '"_id":{"id":"x"},', '"id":"x",', "'"],
    [
      '"extension":[{"url":"a"}],',
      '"contained":[{"resourceType":"Flag","id":"x"}],',
      '[['.repeat(40),
      '{"a":'.repeat(40),
    ],
  ].flat(),
  xml: [
    [
      '<',
      '>',
      '/>',
      '</',
      '&',
      ';',
      '"',
      "'",
      '=',
      ']]>',
      '<![CDATA[x]]>',
      '<!-- x -->',
      '<?x y?>',
      '&#0;',
      '&#xd800;',
    ],
    ['&lt;', '&a;', '<!DOCTYPE a [<!ENTITY a "b">]>', 'xmlns=""', 'xmlns="http://hl7.org/fhir"', 'xmlns:a="b"', 'a:'],
    ['xml:space="preserve"', 'value="x"', ' id="x"', '<id value="x"/>', '<status value="active"/>', '\xef\xbb\xbf'],
    [
      '<?xml version="1.1"?>',
      '<?xml version="1.0" encoding="UTF-16"?>',
      '\xed\xa0\x80',
      '\xff',
      '\0',
      '<a>'.repeat(40),
    ],
    ['<div xmlns="http://www.w3.org/1999/xhtml">', '</div>', '<script>', '<extension url="a"/>'],
  ].flat(),
}

/** A body that was read wrongly, or that made its reader throw. */
export interface Misreading {
  readonly seed: number
  readonly run: number
  readonly format: Format
  readonly what: string
  readonly body: string
}

/** Reads damaged bodies. What is taken must be the same when it is written and read again. */
export function fuzzBodies(seed: number, from: number, until: number) {
  let taken = 0
  for (let run = from; run < until; run++) {
    const random = randomOfRun(seed, run)
    const format = random.pick(['json', 'xml'] as const)
    const stored = storedResource(random)
    const whole = asText(random.chance(0.5) ? stored : changed(random, stored), format)
    if (whole === undefined) continue
    const bytes = damaged(random, Buffer.from(whole), tokens[format])
    const what = misreading(bytes, format, whole)
    if (what === 'taken') taken++
    else if (what !== 'refused')
      return { taken, misreading: { seed, run, format, what, body: bytes.toString('latin1') } }
  }
  return { taken }
}

function asText(json: JsonObject, format: Format): string | undefined {
  const resource = read(json, { format, definitions })
  return resource && writeResource(resource, format)
}

function misreading(bytes: Buffer, format: Format, whole: string): string {
  try {
    if (!isReadAlike(bytes, whole, readers[format])) return 'the straight reader takes what the thorough one does not'
    const first = readResource(bytes, format, definitions, bounds)
    if (!first.ok) return first.faults.length > 0 ? 'refused' : 'refused without a fault'
    const again = readResource(Buffer.from(writeResource(first.value, format)), format, definitions, bounds)
    if (!again.ok) return `what was written cannot be read: ${JSON.stringify(again.faults)}`
    return sameElement(first.value, again.value) ? 'taken' : 'what was written is read as something else'
  } catch (error) {
    return `threw: ${(error as Error).stack}`
  }
}

/**
 * What the straight reader takes is what the thorough one takes, also when parts of it come from another resource; and both are
 * written alike, though the writer has the text of some elements already.
 */
function isReadAlike(bytes: Buffer, whole: string, { straightly, thoroughly, write }: Readers): boolean {
  const text = decodeUtf8(bytes)
  const like = straightly(whole, definitions, bounds)
  if (!text.ok) return true
  const thorough = thoroughly(text.value, definitions, bounds)
  return [like, undefined].every((known) => {
    const straight = straightly(text.value, definitions, bounds, known)
    // What is cloned is plain: a tree tells nothing of how it was read.
    return (
      !straight ||
      (thorough.ok &&
        isDeepStrictEqual(structuredClone(straight), thorough.value) &&
        write(straight) === write(thorough.value))
    )
  })
}

interface Readers {
  readonly straightly: typeof readJsonStraight
  readonly thoroughly: typeof readJsonThoroughly
  readonly write: typeof writeJson
}

const readers: Readonly<Record<Format, Readers>> = {
  json: { straightly: readJsonStraight, thoroughly: readJsonThoroughly, write: writeJson },
  xml: { straightly: readXmlStraight, thoroughly: readXmlThoroughly, write: writeXml },
}
