import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Histories, type Step, type VersionIds } from '../../../src/backtest/histories.ts'
import type { Version } from '../../../src/backtest/version.ts'

type Written = `${string} ${'+' | '-' | '?'}${string}`

/** `1 +2`: version 2 of the resource 1 was stored; `-`: deleted, `?`: cannot be read. */
function version(text: Written, at?: string): Version {
  const [id, what] = text.split(' ') as [string, string]
  const state = what.startsWith('+') ? 'stored' : what.startsWith('-') ? 'deleted' : 'unreadable'
  return { type: 'Flag', id, version: what.slice(1) || undefined, at, state }
}

function told(step: Step): string {
  if (step.kind === 'gap') return `gap of ${step.missing}`
  if (step.kind !== 'write') return step.kind
  return `${step.interaction} ${step.after.id}: ${step.before?.version ?? 'nothing'} to ${step.after.version ?? 'it'}`
}

function steps(versions: readonly Version[], versionIds: VersionIds = 'counted'): string[] {
  const histories = new Histories(versionIds)
  const found = versions.flatMap((one) => histories.take(one).map(told))
  for (const { steps: last } of histories.end()) found.push(...last.map(told))
  return found.filter((one) => one !== 'history')
}

describe('histories', () => {
  it.each<[string, Written[], string[]]>([
    ['a create', ['1 +1'], ['create 1: nothing to 1']],
    ['an update', ['1 +2', '1 +1'], ['update 1: 1 to 2', 'create 1: nothing to 1']],
    ['a delete', ['1 -2', '1 +1'], ['delete 1: 1 to 2', 'create 1: nothing to 1']],
    [
      'one that was deleted and created again',
      ['1 +3', '1 -2', '1 +1'],
      ['create 1: nothing to 3', 'delete 1: 1 to 2', 'create 1: nothing to 1'],
    ],
    [
      'two, mixed',
      ['1 +2', '2 +2', '1 +1', '2 +1'],
      ['update 1: 1 to 2', 'create 1: nothing to 1', 'update 2: 1 to 2', 'create 2: nothing to 1'],
    ],
    ['one with a gap', ['1 +5', '1 +2', '1 +1'], ['gap of 2', 'update 1: 1 to 2', 'create 1: nothing to 1']],
    ['one without its beginning', ['1 +4', '1 +3'], ['update 1: 3 to 4', 'no-beginning']],
    [
      'one of which a version cannot be read',
      ['1 +3', '1 ?2', '1 +1'],
      ['unreadable-write', 'unreadable-write', 'create 1: nothing to 1'],
    ],
    ['one of which the first cannot be read', ['1 ?1'], ['unreadable-write']],
    [
      'a page that tells again',
      ['1 +2', '1 +2', '1 +1', '1 +2', '1 +1'],
      ['seen-again', 'update 1: 1 to 2', 'create 1: nothing to 1', 'seen-again', 'seen-again'],
    ],
    ['one that was deleted twice', ['1 -3', '1 -2', '1 +1'], ['delete 1: 1 to 2', 'create 1: nothing to 1']],
    [
      'a newer version that comes late',
      ['1 +2', '1 +3', '1 +1'],
      ['seen-again', 'update 1: 1 to 2', 'create 1: nothing to 1'],
    ],
  ])('pairs the versions of %s', (_what, versions, expected) => {
    expect(steps(versions.map((one) => version(one)))).toEqual(expected)
  })

  it('takes opaque version ids in the order of the server, and the oldest for the first', () => {
    const versions: Written[] = ['1 +b7', '1 +a2', '1 +c9']
    const expected = ['update 1: a2 to b7', 'update 1: c9 to a2', 'create 1: nothing to c9']
    expect(steps(versions.map((one) => version(one)))).toEqual(expected)
    expect(
      steps(
        (['1 +9', '1 +4'] as const).map((one) => version(one)),
        'opaque',
      ),
    ).toEqual(['update 1: 4 to 9', 'create 1: nothing to 4'])
  })

  it('tells by their times that opaque versions were seen before', () => {
    const [newer, older] = [version('1 +b', '2026-01-02T00:00:00Z'), version('1 +a', '2026-01-01T00:00:00Z')]
    expect(steps([newer, newer, older, newer])).toEqual([
      'seen-again',
      'update 1: a to b',
      'seen-again',
      'create 1: nothing to a',
    ])
  })

  it('goes on from a state as if it had never been interrupted, wherever that was', () => {
    const history = fc
      .array(fc.constantFrom<'+' | '-'>('+', '+', '-'), { minLength: 1, maxLength: 5 })
      .map((states) =>
        states.map((state, i) => ({ state: i === 0 ? ('+' as const) : state, number: i + 1 })).toReversed(),
      )
    fc.assert(
      fc.property(
        fc.array(history, { maxLength: 4 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        fc.nat(),
        (own, picks, cut) => {
          // Mixes the histories, each in its order.
          const rest = own.map((versions, id) =>
            versions.map(({ state, number }) => version(`${id} ${state}${number}`)),
          )
          const mixed: Version[] = []
          for (const pick of [...picks, ...rest.flatMap((versions) => versions.map(() => 0))]) {
            const left = rest.filter((versions) => versions.length > 0)
            if (left.length > 0) mixed.push(left[pick % left.length]!.shift()!)
          }
          const at = mixed.length === 0 ? 0 : cut % mixed.length
          const first = new Histories('counted')
          const before = mixed.slice(0, at).flatMap((one) => first.take(one).map(told))
          const second = new Histories('counted', JSON.parse(JSON.stringify(first.state)))
          // The page on which it was interrupted is told again.
          const again = mixed.slice(0, at).flatMap((one) => second.take(one).map(told))
          expect(again.every((one) => one === 'seen-again')).toBe(true)
          const after = mixed.slice(at).flatMap((one) => second.take(one).map(told))
          const last = [...second.end()].flatMap(({ steps: ends }) => ends.map(told))
          expect([...before, ...after, ...last].filter((one) => one !== 'history').sort()).toEqual(oracle(own).sort())
        },
      ),
    )
  })
})

/** What a plain reading of whole histories says. */
function oracle(histories: readonly (readonly { state: '+' | '-'; number: number }[])[]): string[] {
  return histories.flatMap((newestFirst, id) => {
    const versions = newestFirst.toReversed()
    return versions.flatMap(({ state, number }, i) => {
      const was = versions[i - 1]?.state === '+' ? versions[i - 1] : undefined
      if (state === '-') return was ? [`delete ${id}: ${was.number} to ${number}`] : []
      return was ? [`update ${id}: ${was.number} to ${number}`] : [`create ${id}: nothing to ${number}`]
    })
  })
}
