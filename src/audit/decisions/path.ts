import type { Definitions } from '../../fhir/definitions.ts'
import { interactionCodes } from '../../fhir/interaction.ts'

/** The longest path that is recorded, in characters. */
const longest = 300

/** Stands for a name that FHIR does not know: it is the client's own, and could be anything. */
const unknownName = '?'

const interactions: ReadonlySet<string> = new Set(interactionCodes)

/**
 * The path of a refusal as it is recorded: the names that the FHIR version defines, indexes, and what a policy selects by
 * (`extension('…')`), which no body can bring about, since no name of an element holds a parenthesis.
 * @param expression FHIRPath, from the resource type on
 */
export function recordedPath(expression: string, definitions: Definitions): string {
  const [root = '', ...steps] = splitSteps(expression)
  let at: readonly string[] = definitions.isResource(root) ? [root] : []
  const told = steps.map((step) => {
    if (isFunction(step)) {
      const type = /^ofType\(([A-Za-z]+)\)/.exec(step)?.[1]
      if (type !== undefined) at = [type]
      return step
    }
    const [, name = '', index = ''] = /^([^[(]*)(\[\d+\])?/.exec(step) ?? []
    const next = at.flatMap((definition) => below(definition, name, definitions))
    if (next.length === 0 && !interactions.has(name)) {
      at = []
      return unknownName + index
    }
    at = [...new Set(next)]
    return step
  })
  const isRoot = definitions.isResource(root) || root === 'system'
  const path = [isRoot ? root : unknownName, ...told].join('.')
  return path.length > longest ? `${path.slice(0, longest - 1)}…` : path
}

/** The definitions behind a name as FHIRPath has it: of a choice, those of all its types. */
function below(definition: string, name: string, definitions: Definitions): readonly string[] {
  if (definition === 'Resource') return [...definitions.resourceTypes].flatMap((type) => below(type, name, definitions))
  const child = definitions.child(definition, name)
  if (child) return [child.definition]
  return definitions.choices(definition, name).flatMap((choice) => below(definition, choice, definitions))
}

const isFunction = (step: string) => /^(?:ofType|where|exists)\(/.test(step)

/** At the dots that stand outside of parentheses. */
function splitSteps(expression: string): readonly string[] {
  const steps: string[] = []
  let depth = 0
  let quoted = false
  let from = 0
  for (let at = 0; at < expression.length; at++) {
    const character = expression[at]
    if (quoted) {
      if (character === '\\') at++
      else if (character === "'") quoted = false
    } else if (character === "'") quoted = true
    else if (character === '(') depth++
    else if (character === ')') depth--
    else if (character === '.' && depth === 0) {
      steps.push(expression.slice(from, at))
      from = at + 1
    }
  }
  steps.push(expression.slice(from))
  return steps
}
