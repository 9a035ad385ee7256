import type { InteractionCode } from '../fhir/interaction.ts'
import type { OutcomeIssue } from '../fhir/operation-outcome.ts'
import type {
  ExplainedChange,
  ExplainedInvariant,
  ExplainedOccurrence,
  ExplainedPart,
  Explanation,
  PartVerdict,
} from '../policy/explain.ts'
import type { Colours } from './colour.ts'

/** What `explain --json` prints. It holds no content of a record. */
export interface Explained {
  readonly policy: { readonly name: string; readonly fhirVersion: string; readonly digest: string }
  readonly interaction: InteractionCode
  readonly operation?: string
  readonly type?: string
  readonly verdict: 'permit' | 'deny'
  /** The names of the changes that it is, of a permit. */
  readonly permittedAs?: readonly string[]
  /** What the client is answered with, of a refusal. */
  readonly answer?: { readonly status: number; readonly issues: readonly OutcomeIssue[] }
  /** What rules in report mode would refuse. */
  readonly reported?: readonly OutcomeIssue[]
  /** Undefined where no rule was asked: the interaction is not open, or the body is malformed. */
  readonly explanation?: Explanation
}

/** An explanation as text for a terminal. */
export function writeExplained(explained: Explained, colours: Colours): string {
  const { policy, interaction, operation, type, explanation } = explained
  const what = operation ?? [interaction, ...(type === undefined ? [] : [type])].join(' ')
  const sections = [
    `${colours.strong(what)}, by ${policy.name} (FHIR ${policy.fhirVersion})`,
    ...(explanation ? writeExplanation(explanation, colours) : []),
    writeVerdict(explained, colours),
  ]
  return `${sections.join('\n\n')}\n`
}

function writeExplanation(
  { differences, changes, rest, invariants, ruleSet }: Explanation,
  colours: Colours,
): string[] {
  if (ruleSet === undefined) return []
  if (differences.length === 0) return ['Nothing differs, so no rule was asked.']
  const rows = differences.map(({ expression, kind, claimedBy }) => [
    expression,
    kind,
    claimedBy.length === 0 ? colours.bad('nobody claims it') : colours.good(claimedBy.join(', ')),
  ])
  const restLines = rest
    ? [
        [
          `${colours.strong('rest')}, ${rest.kind === 'permit' ? 'permitted' : 'put back'} as ${rest.name}${rest.only ? `, only ${rest.only.join(', ')}` : ''}${rest.except.length > 0 ? `, but ${rest.except.join(', ')}` : ''}`,
          ...(rest.elements.length > 0
            ? rest.elements.map((element) => `  ${mark('fit', false, colours)} ${element}`)
            : ['  nothing']),
        ].join('\n'),
      ]
    : []
  return [
    `What differs\n${table(rows)}`,
    ...changes.map((change) => writeChange(change, colours)),
    ...restLines,
    ...writeInvariants(invariants, colours),
  ]
}

const invariantVerdicts = {
  kept: 'kept',
  broken: 'broken',
  unknown: 'cannot be told, so it refuses',
  'not-applicable': 'does not apply',
} as const satisfies Record<ExplainedInvariant['verdict'], string>

function writeInvariants(invariants: readonly ExplainedInvariant[], colours: Colours): string[] {
  if (invariants.length === 0) return []
  const width = Math.max(...invariants.map(({ name }) => name.length))
  const lines = invariants.flatMap(({ name, verdict, shortcomings }) => {
    const sign =
      verdict === 'kept'
        ? mark('fit', false, colours)
        : mark(verdict === 'not-applicable' ? 'absent' : 'flawed', true, colours)
    return [
      `  ${sign} ${name.padEnd(width)}  ${invariantVerdicts[verdict]}`,
      ...shortcomings.map(({ sentence }) => `      ${colours.faint(sentence)}`),
    ]
  })
  return [[colours.strong('invariants'), ...lines].join('\n')]
}

function writeChange({ id, occurrences }: ExplainedChange, colours: Colours): string {
  if (occurrences.length === 0) return `${colours.strong(id)}: does not apply, there is no such item`
  return occurrences.map((occurrence) => writeOccurrence(id, occurrence, colours)).join('\n\n')
}

const verdicts = { complete: 'complete', begun: 'begun, and not complete', 'not-begun': 'not begun' } as const

function writeOccurrence(id: string, { item, verdict, parts }: ExplainedOccurrence, colours: Colours): string {
  const colour = verdict === 'complete' ? colours.good : verdict === 'begun' ? colours.bad : colours.faint
  const of = item === undefined ? '' : ` of ${item}`
  const width = Math.max(0, ...parts.map(({ name }) => name.length))
  return [
    `${colours.strong(id)}${of}: ${colour(verdicts[verdict])}`,
    ...parts.flatMap((part) => writePart(part, width, colours)),
  ].join('\n')
}

function writePart(part: ExplainedPart, width: number, colours: Colours): string[] {
  const { name, verdict, optional, elements, shortcomings } = part
  const word = verdict === 'absent' && optional ? 'absent, as it may be' : verdict
  const where = elements.map(({ expression }) => expression).join(', ')
  return [
    `  ${mark(verdict, optional, colours)} ${name.padEnd(width)}  ${[word, where].filter((text) => text !== '').join('  ')}`,
    ...shortcomings.map(({ sentence }) => `      ${colours.faint(sentence)}`),
  ]
}

function mark(verdict: PartVerdict, optional: boolean, colours: Colours): string {
  if (verdict === 'fit') return colours.good('✓')
  if (verdict === 'absent') return optional ? colours.faint('·') : colours.doubtful('-')
  return colours.bad('✗')
}

function writeVerdict({ verdict, permittedAs = [], answer, reported = [] }: Explained, colours: Colours): string {
  const decided =
    verdict === 'permit'
      ? [colours.good(`Permitted as ${permittedAs.join(', ')}.`)]
      : [colours.bad(`Refused with ${answer!.status}.`), ...answer!.issues.map((issue) => writeIssue(issue, colours))]
  const besides = reported.map((issue) => writeIssue(issue, colours))
  return [...decided, ...(besides.length > 0 ? ['Only reported:', ...besides] : [])].join('\n')
}

/** As the OperationOutcome has it: code, the policy's codes, its sentence; where; what is wrong there. */
function writeIssue({ severity, code, details, diagnostics, expression = [] }: OutcomeIssue, colours: Colours): string {
  const codes = [severity, code, ...(details?.coding ?? []).map((coding) => coding.code)].join(' ')
  return [
    `  ${codes}${details?.text === undefined ? '' : `  ${details.text}`}`,
    ...(diagnostics === undefined ? [] : [`      ${diagnostics}`]),
    ...(expression.length > 0 ? [`      ${colours.faint(`at ${expression.join(', ')}`)}`] : []),
  ].join('\n')
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = [0, 1].map((i) => Math.max(...rows.map((row) => row[i]!.length)))
  return rows
    .map(([left, middle, right]) => `  ${left!.padEnd(widths[0]!)}  ${middle!.padEnd(widths[1]!)}  ${right}`)
    .join('\n')
}
