import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { definitionsOf } from '../../../src/fhir/definitions.ts'
import type { Resource } from '../../../src/fhir/element.ts'
import { parseJson } from '../../../src/fhir/json.ts'
import { align, type Aligned } from '../../../src/policy/align.ts'

const definitions = definitionsOf('STU3')

/** Keys and texts of which there are few, so that items are equal, and have one key, often. */
const url = fc.constantFrom('urn:a', 'urn:b', 'urn:c')
const text = fc.constantFrom('x', 'y')
const some = <T>(items: fc.Arbitrary<T>) => fc.array(items, { minLength: 1, maxLength: 5 })

const condition = fc.record({ clinicalStatus: text, note: fc.option(some(fc.record({ text })), { nil: undefined }) })
const list = fc.record(
  {
    extension: some(fc.record({ url, valueString: text })),
    contained: some(condition).map((items) =>
      items.map((item, at) => ({ resourceType: 'Condition', id: `c${at}`, ...item })),
    ),
    title: text,
    entry: some(fc.record({ date: fc.constantFrom('2026', '2027'), item: fc.record({ display: text }) })),
  },
  { requiredKeys: [] },
)

function tree(json: object): Resource {
  const read = parseJson(JSON.stringify({ resourceType: 'List', id: 'l1', ...json }), definitions)
  if (!read.ok) throw new Error(JSON.stringify(read.faults))
  return read.value
}

const match = new Map([['List.entry', ['date']]])
const sides = ({ before, after, beforeIndex, afterIndex, list, appended }: Aligned) => {
  return { before, after, beforeIndex, afterIndex, list, appended }
}

/** A node with all below it, found in one of the two ways. */
const tellBelow = (node: Aligned, childrenOf: (node: Aligned, name: string) => readonly Aligned[]): unknown => [
  sides(node),
  namesOf(node).map((name) => [name, childrenOf(node, name).map((child) => tellBelow(child, childrenOf))]),
]

const namesOf = ({ before, after }: Aligned) => [
  ...new Set([after, before].flatMap((side) => [...(side?.children.keys() ?? [])])),
]
const byName = (node: Aligned, name: string) => node.childrenNamed(name)
const amongAll = (node: Aligned, name: string) => node.children.get(name)!

const areOne = (node: Aligned): boolean =>
  [...node.children].every(([name, items]) => items === node.childrenNamed(name) && items.every(areOne))

describe('two resources laid over each other', () => {
  it('have the same children by name as all at once, each of them one node however it is asked for', () => {
    fc.assert(
      fc.property(fc.option(list, { nil: undefined }), list, (one, other) => {
        const before = one && tree(one)
        const after = tree(other)
        for (const [left, right] of [
          [before, after],
          [after, before],
        ]) {
          const { root } = align(left, right, match)
          expect(tellBelow(root, byName)).toEqual(tellBelow(align(left, right, match).root, amongAll))
          expect(areOne(root)).toBe(true)
        }
      }),
    )
  })

  it('keep in their places the items of lists with the same keys in the same order, however often a key occurs', () => {
    const changes = some(fc.record({ url, date: fc.constantFrom('2026', '2027'), from: text, to: text }))
    fc.assert(
      fc.property(changes, (items) => {
        const side = (which: 'from' | 'to') => ({
          extension: items.map((item) => ({ url: item.url, valueString: item[which] })),
          contained: items.map((item, at) => ({
            resourceType: 'Condition',
            id: `c${at}`,
            clinicalStatus: item[which],
          })),
          entry: items.map((item) => ({ date: item.date, item: { display: item[which] } })),
        })
        const { root, differences } = align(tree(side('from')), tree(side('to')), match)
        for (const name of ['extension', 'contained', 'entry']) {
          const pairs = root.childrenNamed(name).map(({ beforeIndex, afterIndex }) => [beforeIndex, afterIndex])
          expect(pairs).toEqual(items.map((_, at) => [at, at]))
        }
        expect(differences.every(({ kind }) => kind === 'replaced')).toBe(true)
        expect(differences).toHaveLength(3 * items.filter(({ from, to }) => from !== to).length)
      }),
    )
  })

  it('do not keep in its place a contained resource that has become another, though the list is as long', () => {
    const contained = (resourceType: string) => ({ contained: [{ resourceType, id: 'c1' }] })
    const { differences } = align(tree(contained('Condition')), tree(contained('Patient')), match)
    expect(differences.map(({ kind }) => kind).toSorted()).toEqual(['added', 'removed'])
  })
})
