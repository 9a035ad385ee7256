import type { Interaction } from './interaction.ts'
import { readQuery } from './target.ts'

/** What a scope lets its holder do: create, read, update, delete, search. */
export type ScopeAction = 'c' | 'r' | 'u' | 'd' | 's'

/** One thing that a request needs a scope for. */
export interface ScopeNeed {
  /** A resource type; `*`: all of them. */
  readonly type: string
  readonly action: ScopeAction
}

/** What the scopes of a token grant. */
export interface Grants {
  allows(need: ScopeNeed): boolean
  /** On whose behalf: what a scope that is still needed would begin with. */
  readonly level: 'user' | 'system'
}

/** In its own order, as the specification has it. */
const actions = /^c?r?u?d?s?$/

/** https://hl7.org/fhir/smart-app-launch/1.0.0/scopes-and-launch-context/ */
const version1: ReadonlyMap<string, string> = new Map([
  ['read', 'rs'],
  ['write', 'cud'],
  ['*', 'cruds'],
])

/**
 * Reads the scopes of a token, those of SMART App Launch 1 and 2
 * (https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html). What is none of them grants nothing, and
 * neither does one that is narrowed by a search (`patient/Observation.rs?category=…`): which resources it holds for cannot be
 * known before they are read.
 * @param patientCounts whether a scope within the compartment of one patient (`patient/…`) counts: the gateway does not know
 *   which resources these are
 */
export function grantsOf(scopes: readonly string[], patientCounts: boolean): Grants {
  const granted = new Map<string, Set<string>>()
  const levels = new Set<string>()
  for (const scope of scopes) {
    const match = /^(patient|user|system)\/([A-Z][A-Za-z]*|\*)\.([a-z]+|\*)$/.exec(scope)
    if (!match) continue
    const [, level, type, suffix] = match as unknown as [string, string, string, string]
    const letters = version1.get(suffix) ?? (actions.test(suffix) ? suffix : '')
    levels.add(level)
    if (level === 'patient' && !patientCounts) continue
    granted.set(type, new Set([...(granted.get(type) ?? []), ...letters]))
  }
  const on = (type: string, action: ScopeAction) => granted.get(type)?.has(action) === true
  return {
    allows: ({ type, action }) => on('*', action) || on(type, action),
    level: levels.has('system') && !levels.has('user') ? 'system' : 'user',
  }
}

/** A scope as version 2 writes it. */
export const writeScope = ({ type, action }: ScopeNeed, level: Grants['level']) => `${level}/${type}.${action}`

/** `Flag.u` or `*.rs`, as gateway.yaml names what an operation needs; undefined for what is none. */
export function readScopeNeeds(text: string): readonly ScopeNeed[] | undefined {
  const match = /^([A-Z][A-Za-z]*|\*)\.([cruds]+)$/.exec(text)
  if (!match || !actions.test(match[2]!)) return undefined
  return [...match[2]!].map((action) => ({ type: match[1]!, action: action as ScopeAction }))
}

/** What each interaction needs on its type. A page of an answer and an operation do not say what they are about. */
const actionOf = {
  read: 'r',
  vread: 'r',
  'history-instance': 'r',
  'search-type': 's',
  'search-system': 's',
  'history-type': 's',
  'history-system': 's',
  create: 'c',
  update: 'u',
  patch: 'u',
  delete: 'd',
} as const satisfies Partial<Record<Interaction['code'], ScopeAction>>

export type ScopedInteraction = Pick<Interaction, 'type' | 'query'> & {
  readonly code: keyof typeof actionOf
  /** Whether criteria stand for the id: the query, or If-None-Exist. */
  readonly conditional?: boolean | undefined
}

export const isScoped = (interaction: Pick<Interaction, 'code'>): interaction is { code: keyof typeof actionOf } =>
  interaction.code in actionOf

/** What an interaction needs; criteria are a search of their own. */
export function needsOf({ code, type = '*', query, conditional }: ScopedInteraction): readonly ScopeNeed[] {
  const action = actionOf[code]
  const searches = action === 's' || conditional === true
  return [
    { type, action },
    ...(searches && action !== 's' ? [{ type, action: 's' } as const] : []),
    ...(searches ? needsOfParameters(readQuery(query) ?? []) : []),
  ]
}

const everything: ScopeNeed = { type: '*', action: 's' }

/**
 * What the parameters of a search need besides: an answer may hold resources of other types (`_include`), and may tell of them
 * by what it leaves out (`_has`, a chain). Where a parameter does not say which types these are, it is all of them.
 * https://hl7.org/fhir/R4/search.html#revinclude, https://hl7.org/fhir/R4/search.html#chaining
 */
export function needsOfParameters(parameters: readonly (readonly [string, string])[]): readonly ScopeNeed[] {
  return parameters.flatMap(([name, value]): readonly ScopeNeed[] => {
    const [plain = ''] = name.split(/[:.]/, 1)
    switch (plain) {
      case '_include': {
        const [, parameter, target] = value.split(':')
        // Beside `*` a server may take the type for nothing.
        return [isType(target) && parameter !== '*' ? { type: target, action: 'r' } : { type: '*', action: 'r' }]
      }
      case '_revinclude': {
        const source = value.split(':')[0]
        return [isType(source) ? { type: source, action: 's' } : everything]
      }
      case '_list':
        return [{ type: 'List', action: 'r' }]
      case '_sort':
        return value.split(',').flatMap((key) => typesOfChain(key.replace(/^-/, '')))
      case '_has':
      case '_filter':
      case '_query':
        return plain === '_has' ? typesOfHas(name) : [everything]
      default:
        return typesOfChain(name)
    }
  })
}

const isType = (text: string | undefined): text is string => text !== undefined && /^[A-Z][A-Za-z]*$/.test(text)

/** `_has:Observation:patient:code`, which may go on with `_has` or a chain. */
function typesOfHas(name: string): readonly ScopeNeed[] {
  const [, type, , ...rest] = name.split(':')
  if (!isType(type)) return [everything]
  const further = rest.join(':')
  return [{ type, action: 's' }, ...(further.startsWith('_has') ? typesOfHas(further) : typesOfChain(further))]
}

/** `subject:Patient.name`, `patient.identifier`: by its definition `patient` refers to a Patient. */
function typesOfChain(name: string): readonly ScopeNeed[] {
  const links = name.split('.')
  const last = links.findIndex((link) => link.startsWith('_has'))
  const types = links.slice(0, last < 0 ? -1 : last).map((link): ScopeNeed => {
    const [parameter, type] = link.split(':')
    if (isType(type)) return { type, action: 's' }
    return type === undefined && parameter === 'patient' ? { type: 'Patient', action: 's' } : everything
  })
  return last < 0 ? types : [...types, ...typesOfHas(links.slice(last).join('.'))]
}
