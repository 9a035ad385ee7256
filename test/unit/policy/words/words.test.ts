import { describe, expect, it } from 'vitest'
import { compilePolicy } from '../../../../src/policy/compile.ts'
import { writeDiagnostic } from '../../../../src/policy/source.ts'
import type { Block, Item } from '../../../../src/policy/words/page.ts'
import { policyInWords } from '../../../../src/policy/words/words.ts'

function wordsOf(resources: string, more = '') {
  const compiled = compilePolicy('p.yaml', `policy: p\nfhir: 4.0.1\n${more}resources:\n${resources}`)
  if (!compiled.ok) throw new Error(compiled.diagnostics.map(writeDiagnostic).join('\n'))
  return policyInWords(compiled.policy)
}

/** A page as lines: headings with `#`, items indented, answers with `>`. */
function linesOf(blocks: readonly Block[]): string[] {
  const items = (all: readonly Item[], indent: string): string[] =>
    all.flatMap(({ text, items: below, aside }) => [
      `${indent}${aside ? '>' : '-'} ${text}`,
      ...items(below, `${indent}  `),
    ])
  return blocks.flatMap((block) => {
    switch (block.kind) {
      case 'heading':
        return [`${'#'.repeat(block.level)} ${block.text}`]
      case 'paragraph':
        return [block.text]
      case 'table':
        return [block.head, ...block.rows].map((cells) => cells.join(' | '))
      case 'list':
        return items(block.items, '')
    }
  })
}

const refused = 'Everything else is refused, with 422 `business-rule`: “The policy does not permit this change.”'

/** The lines below a heading, up to the next one of its kind. */
function section(lines: readonly string[], title: string): readonly string[] {
  const start = lines.indexOf(title)
  if (start < 0) throw new Error(`There is no ${title} in\n${lines.join('\n')}`)
  const level = title.split(' ', 1)[0]!.length
  const end = lines.findIndex((line, i) => i > start && /^#{1,3} /.test(line) && line.split(' ', 1)[0]!.length <= level)
  return lines.slice(start + 1, end < 0 ? undefined : end)
}

/** What is told of the one change of an update of a Flag. `parts`: as YAML in one line. */
function changeInWords(parts: string, more = ''): readonly string[] {
  const resources = `  Flag:\n    interactions: [update]\n    update:\n      if-match: required\n      changes: { removal: ${parts} }\n`
  const lines = section(linesOf(wordsOf(resources, more).blocks), '### Update (PUT)')
  expect(lines.slice(0, 2)).toEqual([
    'The request names the version that it changes (If-Match).',
    'It may consist of this change:',
  ])
  expect(lines.at(-1)).toBe(refused)
  return lines.slice(2, -1)
}

/** The same for what a new Flag must be. */
function createInWords(setting: string, more = ''): readonly string[] {
  const resources = `  Flag:\n    interactions: [create]\n    create:\n      changes: { new: [{ added: $this, ${setting} }] }\n`
  const lines = section(linesOf(wordsOf(resources, more).blocks), '### Create')
  expect(lines[0]).toBe('It is permitted as:')
  return lines.slice(1, -1)
}

describe('a policy in words', () => {
  it.each([
    ['[{ replaced: status, from: active, to: inactive }]', ['- `removal`: `status` goes from `active` to `inactive`.']],
    [
      '[{ replaced: status, from: [active, absent], to: [inactive, entered-in-error] }]',
      ['- `removal`: `status` goes from `active` or absent to `inactive` or `entered-in-error`.'],
    ],
    [
      '[{ replaced: status, from: active, to: inactive, times: 0..1 }]',
      ['- `removal`: `status` may go from `active` to `inactive`.'],
    ],
    [
      '[{ replaced: identifier.value, from: a, to: b }]',
      ['- `removal`: Each `identifier.value` (at least one) goes from `a` to `b`.'],
    ],
    [
      '[{ replaced: identifier.value, from: a, to: b, times: 0..* }]',
      ['- `removal`: Each `identifier.value` (all or none) may go from `a` to `b`.'],
    ],
    [
      '[{ removed: period.end, open: true }, { removed: identifier, times: 1..*, open: true }]',
      [
        '- `removal`, all of this together:',
        '  - One `period.end` is removed. It may hold anything.',
        '  - One or more `identifier` are removed. Each may hold anything.',
      ],
    ],
    [
      "[{ added: extension('https://x'), total: 1, holds: { valueCode: { is: a } } }]",
      [
        "- `removal`: One `extension('https://x')` is added, and is then the only one. It holds this and nothing else:",
        '  - `valueCode` is `a`.',
      ],
    ],
    [
      "[{ appended: extension('https://x'), times: 2, total: 3, open: true }]",
      [
        "- `removal`: Exactly 2 `extension('https://x')` are appended, and there are 3 in all then. Each may hold anything.",
      ],
    ],
    [
      '[{ appended: contained.ofType(Provenance), as: $p, times: 0..1, open: true, holds: { target: { refers to: $this } }, with: [{ added: "contained.ofType(Basic)[subject.reference refers to $p]", times: 0..*, holds: { subject: { refers to: $p } } }] }]',
      [
        '- `removal`: At most one `contained.ofType(Provenance)` is appended (`$p`). It may hold anything, but:',
        '  - One `target`, which refers to the resource.',
        '  - With it:',
        '    - Any number of `contained.ofType(Basic)[subject.reference refers to $p]` are added. Each holds this and nothing else:',
        '      - `subject` refers to `$p`.',
      ],
    ],
    [
      '{ for each: { kept: contained.ofType(Condition), as: $c }, parts: [{ replaced: $c.recordedDate, from: absent, to: "2026" }] }',
      [
        '- `removal`, once for each `contained.ofType(Condition)` that stays (`$c`), all of this together:',
        '  - `$c.recordedDate` goes from absent to `2026`.',
      ],
    ],
    [
      '{ for each: { appended: contained.ofType(Condition), as: $c, open: true, lacks: text }, parts: [{ added: "contained.ofType(Basic)[subject.reference refers to $c]", holds: { subject: { refers to: $c } } }] }',
      [
        '- `removal`, once for each `contained.ofType(Condition)` that is appended (`$c`), all of this together:',
        '  - `$c` may hold anything, but:',
        '    - No `text`.',
        '  - One `contained.ofType(Basic)[subject.reference refers to $c]` is added. It holds this and nothing else:',
        '    - `subject` refers to `$c`.',
      ],
    ],
  ])('tells the change %s', (parts, expected) => {
    expect(changeInWords(parts)).toEqual(expected)
  })

  it('tells the paths of a part that is used on a variable with that variable', () => {
    const parts = `parts: { reason: { added: extension('https://x'), holds: { valueReference: { refers to: $this } } } }\n`
    const change =
      '{ for each: { kept: contained.ofType(Condition), as: $c }, parts: [{ use: reason, on: $c }, { replaced: "contained[id = \'x\'].ofType(Patient).active", from: true, to: false }] }'
    expect(() => changeInWords(change, parts)).toThrow('Every part here must be tied to `$c`')
    expect(changeInWords(change.replace(/, \{ replaced.*\}(?=\])/, ''), parts)).toEqual([
      '- `removal`, once for each `contained.ofType(Condition)` that stays (`$c`), all of this together:',
      "  - One `$c.extension('https://x')` is added. It holds this and nothing else:",
      '    - `valueReference` refers to `$c`.',
    ])
  })

  it.each([
    ['open: true', '- `new`: The new resource may hold anything.', []],
    [
      'holds: { status: { is: active } }',
      '- `new`: The new resource holds this and nothing else:',
      ['`status` is `active`.'],
    ],
    ['open: true, holds: { status: { is: [active, inactive] } }', undefined, ['`status` is `active` or `inactive`.']],
    ['open: true, holds: { status: { is: [active, absent] } }', undefined, ['`status` is `active` or absent.']],
    [
      'open: true, holds: { author: { open: true, times: 0..1 } }',
      undefined,
      ['`author`, if it is there, may hold anything.'],
    ],
    ['open: true, holds: { identifier: { open: true } }', undefined, ['One `identifier`, which may hold anything.']],
    [
      'open: true, holds: { identifier: { times: 1..*, open: true, lacks: [period, use] } }',
      undefined,
      ['One or more `identifier`, each of which may hold anything, but:', '  - No `period` or `use`.'],
    ],
    [
      'open: true, holds: { code: { holds: { text: { text: not blank } } } }',
      undefined,
      ['`code` holds this and nothing else:', '  - `text` is a text that is not blank.'],
    ],
    [
      'open: true, holds: { code.text: { text: not blank, max-length: 80 } }',
      undefined,
      ['`code.text` is a text that is not blank, of at most 80 characters.'],
    ],
    [
      'open: true, holds: { "identifier[system = \'https://nhs\']": { times: 0..2, holds: { value: { digits: 10, check-digit: modulus-11 } } } }',
      undefined,
      [
        "At most 2 `identifier[system = 'https://nhs']`, each of which holds this and nothing else:",
        '  - `value` is 10 digits, the last of them a check digit (modulus-11).',
      ],
    ],
    [
      'open: true, holds: { identifier.value: { digits: 4, times: 2..3 } }',
      undefined,
      ['2 to 3 `identifier.value`, each of which is 4 digits.'],
    ],
    [
      'open: true, holds: { category: { coded: kinds, times: 2..* } }',
      undefined,
      ['2 or more `category`, each of which is coded from the list `kinds`.'],
    ],
    [
      'open: true, holds: { "category[coding = \'https://kinds|a\']": { coded: kinds } }',
      undefined,
      ["One `category[coding = 'https://kinds|a']`, which is coded from the list `kinds`."],
    ],
    [
      'open: true, one-of: [{ subject: { refers to: $this } }, { author: { open: true }, encounter: { open: true } }]',
      undefined,
      [
        'Exactly one of these:',
        '  - `subject` refers to the new resource.',
        '  - All of these:',
        '    - `author` may hold anything.',
        '    - `encounter` may hold anything.',
      ],
    ],
  ])(
    'tells what a new resource must be: %s',
    (setting, first = '- `new`: The new resource may hold anything, but:', expected) => {
      const lists = setting.includes('coded: kinds') ? 'lists: { kinds: { system: https://kinds, codes: [a] } }\n' : ''
      expect(createInWords(setting, lists)).toEqual([
        first,
        ...expected.map((line) => line.replace(/^( *)(- )?/, '  $1- ')),
      ])
    },
  )

  it('tells an answer where a rule has one of its own, and not where it has that of the rule around it', () => {
    const lists = 'lists: { kinds: { system: https://kinds, codes: [a] } }\n'
    const setting =
      'open: true, otherwise: { say: Around. }, holds: { status: { is: active }, code: { coded: kinds, otherwise: { status: 400, issue: required, say: Own., help: Do it. }, wrong-code: { say: Code. }, wrong-system: { say: System. } } }, lacks: { author: { say: No author. } }'
    expect(createInWords(setting, lists)).toEqual([
      '- `new`: The new resource may hold anything, but:',
      '  - `status` is `active`.',
      '  - `code` is coded from the list `kinds`.',
      '    > Else 400 `required`: “Own. Do it.”',
      '    > Another code: 400 `required`: “Code.”',
      '    > Another code system: 400 `required`: “System.”',
      '  - No `author`.',
      '    > Else 422 `business-rule`: “No author.”',
      '  > Else 422 `business-rule`: “Around.”',
    ])
  })

  it('tells the codes of an answer', () => {
    const outcome =
      'outcome: { codes: { system: https://codes, display: { NO: No } } }\nanswers: { change-not-permitted: { status: 403, code: NO, codings: [{ system: https://other, code: X }], say: Not so. } }\n'
    const { blocks } = wordsOf(
      '  Flag:\n    interactions: [update]\n    update: { if-match: required, rest: { permit-as: edit } }\n',
      outcome,
    )
    expect(section(linesOf(blocks), '### Update (PUT)').at(-1)).toBe(
      'What is refused is answered with 403 `business-rule`, `NO`, `https://other|X`: “Not so.”',
    )
  })

  describe('tells what becomes of everything else', () => {
    const update = (rules: string) =>
      section(
        linesOf(
          wordsOf(`  Flag:\n    interactions: [update, patch]\n    update: { if-match: required, ${rules} }\n`).blocks,
        ),
        '### Update (PUT, PATCH)',
      ).slice(1)
    const refusedAs = 'What is refused is answered with 422 `business-rule`: “The policy does not permit this change.”'

    it.each([
      ['rest: { permit-as: edit }', ['Anything may change, as `edit`.', refusedAs]],
      [
        'rest: { permit-as: edit, only: [period, code.text] }',
        [
          'What lies at or in `period` or `code.text` may change, as `edit`.',
          'Everything else is refused, with 422 `business-rule`: “The policy does not permit this change.”',
        ],
      ],
      [
        'rest: { permit-as: edit, except: [status, subject] }',
        [
          'Anything may change, as `edit`. But a difference at, in or around `status` or `subject` is refused.',
          refusedAs,
        ],
      ],
      [
        'changes: { end: [{ replaced: status, from: active, to: inactive }], back: [{ replaced: status, from: inactive, to: active }] }, rest: { restore-as: supplied, except: [subject] }',
        [
          'It may consist of these changes, one or several at once:',
          '- `end`: `status` goes from `active` to `inactive`.',
          '- `back`: `status` goes from `inactive` to `active`.',
          'Anything else that differs is put back to what is stored, the client is told so, and the update goes on, as `supplied`. But a difference at, in or around `subject` is refused, unless it belongs to one of these changes.',
          refusedAs,
        ],
      ],
      [
        'rest: { permit-as: edit }, invariants: [{ rule: a flag that ended has an end, when: "%after.status = \'inactive\'", require: "%after.period.end.exists()", at: period.end, otherwise: { say: It needs an end. } }]',
        [
          'Anything may change, as `edit`.',
          'Whatever it consists of, this must hold:',
          '- A flag that ended has an end:',
          "  - Where this is true: `%after.status = 'inactive'`",
          '  - This is true: `%after.period.end.exists()`',
          '  - A refusal names `period.end`.',
          '  > Else 422 `business-rule`: “It needs an end.”',
          refusedAs,
        ],
      ],
    ])('%s', (rules, expected) => {
      expect(update(rules)).toEqual(expected)
    })
  })

  it('tells types with the same rules once, and those that are not named as every other type', () => {
    const lines = linesOf(
      wordsOf(`  Flag: &item
    interactions: [read, create]
    create: { changes: { new: [{ added: $this, open: true }] } }
  Patient: { interactions: [read] }
  Consent: *item
  '*': { interactions: [read, update], update: { if-match: required, rest: { permit-as: edit, except: [meta.tag] } } }
`).blocks,
    )
    expect(lines.slice(2, 7)).toEqual([
      ' | read by | create | update | delete',
      'Flag, Consent | `read` | `new` | – | –',
      'Patient | `read` | – | – | –',
      'Every other type | `read` | – | `edit` | –',
      'Nothing is open on the base. What is not named here is closed.',
    ])
    expect(lines.filter((line) => line.startsWith('## '))).toEqual([
      '## Flag, Consent',
      '## Every other type',
      '## Open subtrees',
      '## What the gateway refuses by itself',
    ])
  })

  it('tells by which methods and criteria a type is written, and which operations it has', () => {
    const lines = linesOf(
      wordsOf(
        `  Flag:
    interactions: [read, create, update, patch, delete]
    conditional: [create, patch, delete]
    create: { changes: { new: [{ added: $this, open: true }] } }
    update: { if-match: required, rest: { permit-as: edit } }
    delete: { if-match: required, changes: { remove: [{ removed: $this, open: true }] } }
    operations: { $validate: { methods: [POST] } }
    instance-operations: { $check: { methods: [POST], changes: { checked: [{ added: $this, open: true }] } } }
`,
        'system: { interactions: [transaction], operations: { $ping: { methods: [GET] } } }\n',
      ).blocks,
    )
    expect(lines.slice(2, 5)).toEqual([
      ' | read by | create | update | delete | operations',
      'Flag | `read` | `new`; also by criteria | `edit`; also by PATCH; also by criteria | `remove`; also by criteria | `$validate`, `$check`',
      'On the base: `transaction`, `$ping`. What is not named here is closed.',
    ])
    expect(section(lines, '### Delete')).toEqual([
      'The request names the version that it changes (If-Match).',
      'It is permitted as:',
      '- `remove`: The resource may hold anything.',
      refused,
    ])
    const passes = ['It passes as it is: the policy says that it changes nothing.']
    expect(section(lines, '### `$validate` on the type (POST)')).toEqual(passes)
    expect(section(lines, '### `$ping` (GET)')).toEqual(passes)
    expect(section(lines, '### `$check` on a resource (POST)')).toEqual([
      'It is permitted as:',
      '- `checked`: The Parameters may hold anything.',
      refused,
    ])
  })

  it('tells every list that is used, and of a long one how long it is', () => {
    const codes = Array.from({ length: 23 }, (_, i) => `c${i}`)
    const lists = `lists: { short: { system: [https://a, https://b], codes: [x, y] }, long: { system: https://c, codes: [${codes.join(', ')}] } }\n`
    const { blocks } = wordsOf(
      '  Flag:\n    interactions: [create]\n    create: { changes: { new: [{ added: $this, open: true, holds: { category: { coded: short }, code: { coded: long } } }] } }\n',
      lists,
    )
    expect(section(linesOf(blocks), '## Lists')).toEqual([
      '- `short`: `x` and `y` of `https://a` or `https://b`.',
      `- \`long\`: ${codes
        .slice(0, 20)
        .map((one) => `\`${one}\``)
        .join(', ')} and 3 more of \`https://c\`.`,
    ])
  })

  it('tells every subtree that is open, wherever it stands', () => {
    const words = wordsOf(`  Flag:
    interactions: [update]
    update:
      if-match: required
      changes:
        link:
          - added: extension('https://x')
            one-of: [{ valueCode: { is: a } }, { valuePeriod: { holds: { start: { is: '2026' } , extension('y'): { open: true } } } }]
        append:
          for each: { appended: contained.ofType(Patient), as: $p, open: true }
          parts:
            - appended: contained.ofType(Provenance)[target.reference refers to $p]
              as: $provenance
              holds: { target: { refers to: $p } }
              with: [{ added: 'contained.ofType(Basic)[subject.reference refers to $provenance]', open: true }]
`)
    expect(section(linesOf(words.blocks), '## Open subtrees').slice(1)).toEqual([
      "- Flag, update, `link`: `extension('https://x')` › `valuePeriod` › `extension('y')`",
      '- Flag, update, `append`: `contained.ofType(Patient)`',
      '- Flag, update, `append`: `contained.ofType(Basic)[subject.reference refers to $provenance]`',
    ])
    expect(words).toMatchObject({ open: 3, rules: 2 })
  })

  it('tells the settings that hold for all rules, and what the gateway refuses by itself', () => {
    const settings =
      'match: { List.entry: item.reference }\nbases: [https://a.example/r4]\nprecedence: [403, 400]\nanswers: { gone: { status: 404, say: It is gone. } }\n'
    const lines = linesOf(
      wordsOf(
        '  Flag:\n    interactions: [update]\n    update: { if-match: required, rest: { permit-as: edit } }\n',
        settings,
      ).blocks,
    )
    expect(section(lines, '## How requests are read')).toEqual([
      '- Items of `List.entry` are compared by their `item.reference`.',
      '- References below `https://a.example/r4` name resources of this server.',
      '- When refusals differ in status, the answer has the first of 403, 400.',
    ])
    const answers = section(lines, '## What the gateway refuses by itself')
    expect(answers).toContain('The resource was deleted. | 404 `deleted` “It is gone.”')
    expect(answers).toContain('The FHIR server does not answer in time. | 504 `timeout`')
  })
})

describe('modes', () => {
  const flag = (ofUpdate: string) => `  Flag:
    interactions: [update]
    update:
      if-match: required
      ${ofUpdate}
      changes: { removal: [{ replaced: status, from: active, to: inactive }, { mode: report, added: category, open: true }] }
`
  const linesFor = (ofUpdate: string, more = '') => linesOf(wordsOf(flag(ofUpdate), more).blocks)

  it('are told of the rules that are only reported', () => {
    expect(linesFor('')).toContain('Only reported, and not refused, is what breaks `removal.category`.')
    expect(linesFor('mode: report')).toContain(
      'These rules are in report mode: what they refuse goes on, and is reported.',
    )
  })

  it('are told without the type, so that types with the same rules are told once', () => {
    const alike = linesOf(wordsOf(flag('') + flag('').replace('Flag:', 'CareTeam:')).blocks)
    expect(alike).toContain('## Flag, CareTeam')
  })

  it('tell that nothing is put back where the rules are only reported', () => {
    const rest = 'mode: report\n      rest: { restore-as: supplied }'
    expect(linesFor(rest)).toContain(
      'These rules are in report mode: what they refuse goes on, and is reported. Nothing is put back, either.',
    )
  })

  it('are told of a whole policy, and of the rules that are enforced all the same', () => {
    const lines = linesFor('mode: enforce', 'mode: report\n')
    expect(lines[2]).toBe(
      'This policy is in report mode: what is not open goes on all the same, as far as it can be carried, and is reported.',
    )
    expect(lines).toContain('Only reported, and not refused, is what breaks `removal.category`.')
    const invariant = 'invariants: [{ rule: it has a code, mode: enforce, require: "%after.code.exists()" }]'
    expect(linesFor(invariant, 'mode: report\n')).toContain(
      'These rules are in report mode: what they refuse goes on, and is reported. Refused is still what breaks `it has a code`.',
    )
  })
})
