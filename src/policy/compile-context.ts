import type { Value } from '../fhir/element.ts'
import type { Definitions } from '../fhir/definitions.ts'
import { impossibleValue } from '../fhir/primitive-format.ts'
import { issueTypesOf, type IssueType } from '../fhir/issue-type.ts'
import type { Json, JsonNumber } from '../fhir/json-text.ts'
import type { FhirRelease } from '../fhir/version.ts'
import { bounds } from './bounds.ts'
import { compilePath, type CompiledPath } from './compile-path.ts'
import { didYouMean } from './did-you-mean.ts'
import { ExpressionCompiler } from './fhirpath/expression.ts'
import type { Path } from './path.ts'
import type { ElementType } from './element-type.ts'
import type { Answer } from './refusal.ts'
import type { CodeList, Literal, Otherwise, Times } from './rule.ts'
import type { AnswerInput } from './schema/answer.ts'
import type { PolicyInput } from './schema/policy.ts'
import { writePath, type Diagnostic, type Pointing, type Source, type SourcePath } from './source.ts'

/** What a variable stands for: its type, and whether its items were there before or came. */
export interface Variable extends ElementType {
  readonly side: 'kept' | 'added' | 'any'
  /** The path that selects the items, for telling disjoint variables apart. */
  readonly path: Path | undefined
}

/** Something of the request that a rule asks for: whether it is to be had, the config says. */
export interface Ask {
  /** Its name in lower case. Undefined: the scopes of a token. */
  readonly headerField: string | undefined
  /** A mistake where the rule asks for it. */
  diagnose(message: string): Diagnostic
}

export type Scope = ReadonlyMap<string, Variable>

/** Thrown when a policy is beyond the bounds, or has more mistakes than are told. What is wrong has been reported. */
export class TooMuch extends Error {}

/** What the compilation of one policy file shares: the input, what was found wrong, and how settings are read. */
export class CompileContext {
  readonly diagnostics: Diagnostic[] = []
  readonly source: Source
  readonly input: PolicyInput
  readonly release: FhirRelease
  readonly definitions: Definitions
  defaultAnswer: Answer = { status: 422, issue: 'business-rule' }
  lists: ReadonlyMap<string, CodeList> = new Map()
  readonly expressions: ExpressionCompiler
  readonly #asks = new Map<string, Ask>()
  readonly #used = new Set<string>()
  #rules = 0

  constructor(source: Source, input: PolicyInput, release: FhirRelease, definitions: Definitions) {
    this.source = source
    this.input = input
    this.release = release
    this.definitions = definitions
    this.expressions = new ExpressionCompiler(definitions)
  }

  /** What rules ask of the request, each place once. */
  get asks(): readonly Ask[] {
    return [...this.#asks.values()]
  }

  ask(headerField: string | undefined, at: SourcePath, span: NonNullable<Pointing['span']>): void {
    this.#asks.set(`${writePath(at)}:${span.offset}`, {
      headerField,
      diagnose: (message) => this.source.diagnose(at, message, { span }),
    })
  }

  report(path: SourcePath, message: string, options?: Pointing): void {
    const diagnostic = this.source.diagnose(path, message, options)
    // A part that several changes use is compiled for each of them: say once what is wrong with it.
    const same = (d: Diagnostic) =>
      d.line === diagnostic.line && d.column === diagnostic.column && d.message === message
    if (this.diagnostics.some(same)) return
    this.diagnostics.push(diagnostic)
    if (this.diagnostics.length >= bounds.mistakes) throw new TooMuch('The policy has more mistakes than are told.')
  }

  /** Counts a part or a condition. */
  countRule(at: SourcePath): void {
    if (++this.#rules <= bounds.rules) return
    this.report(at, `The policy has more than ${bounds.rules} parts and conditions.`)
    throw new TooMuch('The policy has more rules than it may.')
  }

  /** Compiles for each of several types. A mistake that not all of them have is told once, with a type that has it. */
  forTypes<T>(types: readonly string[], compile: (type: string) => T): Map<string, T> {
    const compiled = new Map<string, T>()
    const mistakes = new Map<string, { diagnostic: Diagnostic; type: string; count: number }>()
    const start = this.diagnostics.length
    for (const type of types) {
      compiled.set(type, compile(type))
      for (const diagnostic of this.diagnostics.splice(start)) {
        const place = `${diagnostic.line}:${diagnostic.column}`
        const known = mistakes.get(place)
        if (known) known.count++
        else mistakes.set(place, { diagnostic, type, count: 1 })
      }
    }
    for (const { diagnostic, type, count } of mistakes.values()) {
      const which = ` ${type} is among the types that \`'*'\` stands for: give it rules of its own.`
      const message = `${diagnostic.message}${count < types.length ? which : ''}`
      this.diagnostics.push({ ...diagnostic, message })
    }
    return compiled
  }

  inOrder(): Diagnostic[] {
    return [...this.diagnostics].sort((a, b) => a.line - b.line || a.column - b.column)
  }

  list(name: string, path: SourcePath): CodeList {
    const list = this.lists.get(name)
    this.#used.add(`lists.${name}`)
    if (!list) this.report(path, `There is no list \`${name}\` under \`lists\`.${didYouMean(name, this.lists.keys())}`)
    return list ?? { name, codes: new Map() }
  }

  partUsed(name: string): void {
    this.#used.add(`parts.${name}`)
  }

  /**
   * A list or a part that nothing uses is a mistake: most likely a misspelt use of it. Beside other mistakes it is not told:
   * what holds one of them has not been read to its end.
   */
  reportUnused(): void {
    if (this.diagnostics.length > 0) return
    for (const kind of ['lists', 'parts'] as const) {
      for (const name of Object.keys(this.input[kind] ?? {})) {
        if (!this.#used.has(`${kind}.${name}`))
          this.report([kind, name], `Nothing uses \`${name}\`: use it, or leave it out.`, { at: 'key' })
      }
    }
  }

  /** Reads a path and checks its elements against the FHIR version. Undefined after a mistake. */
  path(text: string, at: SourcePath, scope: Scope, options?: { at?: 'key' | 'value' }): CompiledPath | undefined {
    return compilePath(this, text, scope, { at, options })
  }

  variable(name: string, at: SourcePath, scope: Scope, options?: { at?: 'key' | 'value' }): Variable | undefined {
    const variable = scope.get(name)
    if (!variable) {
      const known = [...scope.keys()]
      const near = didYouMean(name, known)
      const hint = near === '' ? ' A variable is bound by `as`, above where it is used.' : near
      this.report(at, `\`${name}\` stands for nothing here. What does: ${known.join(', ')}.${hint}`, {
        ...options,
        word: name,
      })
    }
    return variable
  }

  /** Values as YAML has them, in the kind that the element's type has in FHIR JSON. */
  literals(input: unknown, type: string, at: SourcePath): Literal[] {
    return [input].flat().map((value, i): Literal => {
      if (value === 'absent') return undefined
      const where = Array.isArray(input) ? [...at, i] : at
      if (!this.definitions.isPrimitive(type)) {
        this.report(where, `A ${type} has no value of its own: only elements of a primitive type can be compared.`)
        return undefined
      }
      const kind = this.definitions.kindOf(type)
      // Numbers are compared as they are written: 1.50 is not 1.5.
      const written = kind === 'number' ? this.source.json(where) : undefined
      const text = isNumber(written) ? written.text : String(value)
      if (typeof value !== kind) {
        this.report(where, `Expected ${kindNames[kind]}, since the element is of type ${type}.`)
      } else {
        const possible = impossibleValue(type, text)
        if (possible !== undefined) this.report(where, `\`${text}\` is no ${type}: such a value is ${possible}.`)
      }
      return { kind, text } satisfies Value
    })
  }

  times(input: string | number | undefined, at: SourcePath, fallback: Times): Times {
    if (input === undefined) return fallback
    const [min, max] = String(input).split('..')
    const times = { min: Number(min), max: max === undefined ? Number(min) : max === '*' ? Infinity : Number(max) }
    if (times.min > times.max) this.report(at, `At least ${times.min} and at most ${times.max} contradict each other.`)
    if (times.max === 0) this.report(at, 'Never at all: leave the part out, or use `lacks`.')
    return times
  }

  /** An answer completed from a more general one. */
  answer(input: AnswerInput, general: Answer): Answer {
    const code = input.code ?? general.code
    const codings = input.codings ?? general.codings
    const text = input.say ?? general.text
    return {
      status: input.status ?? general.status,
      issue: (input.issue as IssueType | undefined) ?? general.issue,
      ...(code === undefined ? {} : { code }),
      ...(codings === undefined ? {} : { codings }),
      ...(text === undefined ? {} : { text }),
    }
  }

  /** What is said when a rule does not hold: its own words, completed from those of what it is part of. */
  otherwise(input: AnswerInput | undefined, at: SourcePath, general: Otherwise): Otherwise {
    if (!input) return general
    this.checkAnswer(input, at)
    const answer = this.answer(input, general.answer ?? this.defaultAnswer)
    const help = input.help ?? (input.say === undefined ? general.help : undefined)
    return { answer, say: input.say ?? general.say, ...(help === undefined ? {} : { help }) }
  }

  checkAnswer(input: AnswerInput, at: SourcePath): void {
    const issues = issueTypesOf(this.release)
    if (input.issue !== undefined && !issues.has(input.issue)) {
      const hint = didYouMean(input.issue, issues)
      this.report([...at, 'issue'], `FHIR ${this.input.fhir} has no issue code \`${input.issue}\`.${hint}`)
    }
    if (input.code !== undefined) {
      const codes = this.input.outcome?.codes?.display
      if (!codes) this.report([...at, 'code'], 'A code needs `outcome.codes`: its coding system and display texts.')
      else if (!Object.hasOwn(codes, input.code)) {
        const hint = didYouMean(input.code, Object.keys(codes))
        this.report([...at, 'code'], `\`${input.code}\` is not among \`outcome.codes.display\`.${hint}`)
      }
    }
  }
}

const kindNames = { string: 'a text', number: 'a number', boolean: 'true or false' } as const

const isNumber = (json: Json | undefined): json is JsonNumber =>
  typeof json === 'object' && json !== null && 'kind' in json && json.kind === 'number'
