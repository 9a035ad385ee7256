import type { Resource } from '../fhir/element.ts'
import { parseJsonText, type Json } from '../fhir/json-text.ts'
import { writeJson } from '../fhir/json-write.ts'
import type { Format } from '../fhir/media-type.ts'
import { applyJsonPatch, patchJson } from '../fhir/patch/json-patch.ts'
import { writeJsonText } from '../fhir/patch/json-value.ts'
import type { AskedWrite } from '../policy/judge-asked.ts'
import { malformedBody } from '../policy/refusals-of-bodies.ts'
import type { SourcePath } from '../policy/source.ts'
import { bodyOf, bounds, documentOf, inFormat, parse, type Written } from './bodies.ts'
import type { CaseContext } from './context.ts'
import type { Subject } from './read-case.ts'
import type { CaseInput } from './schema.ts'

/**
 * What a case asks, with its bodies parsed as the gateway parses them: a body that is malformed is refused, as it would be,
 * but a stored resource that cannot be read is a mistake of the case.
 * @param body what the subject of the case names, and where
 * @param at the case
 */
export function askedWrite(
  context: CaseContext,
  subject: Subject,
  body: Written,
  bodyAt: SourcePath,
  input: CaseInput,
  at: SourcePath,
): AskedWrite | undefined {
  switch (subject) {
    case 'before':
      return askedUpdate(context, body, bodyAt, input, at)
    case 'delete': {
      const changed = withChange(context, body, bodyAt, input, at)
      const before = changed && stored(context, changed, bodyAt)
      return before && { code: 'delete', type: before.type, before, after: undefined }
    }
    case 'create': {
      const changed = withChange(context, body, bodyAt, input, at)
      if (!changed) return undefined
      const after = sent(context, changed)
      const type = input.on ?? ('refusals' in after ? writtenType(context, changed) : after.type)
      if (type !== undefined) return { code: 'create', type, before: undefined, after }
      context.report(bodyAt, 'Of which type this is cannot be told: say it by `on`.')
      return undefined
    }
    case 'operation': {
      const changed = withChange(context, body, bodyAt, input, at)
      const [type, id] = input.on?.split('/') ?? []
      return (
        changed && {
          code: 'operation',
          type,
          operation: { name: input.operation!.slice(1), instance: id !== undefined },
          before: undefined,
          after: sent(context, changed),
        }
      )
    }
  }
}

function askedUpdate(
  context: CaseContext,
  body: Written,
  bodyAt: SourcePath,
  input: CaseInput,
  at: SourcePath,
): AskedWrite | undefined {
  const before = stored(context, body, bodyAt)
  if (!before) return undefined
  const code = input.request?.interaction ?? 'update'
  if (input.after !== undefined) {
    const written = context.bodies.written(input.after, [...at, 'after'])
    const same = written && asStoredIn(context, before, body.format, written.format, bodyAt)
    return same && { code, type: before.type, before: same, after: sent(context, written) }
  }
  const same = asStoredIn(context, before, body.format, 'json', bodyAt)
  if (!same) return undefined
  const after = code === 'patch' ? patched(context, same, at) : changed(context, jsonOf(same), at, body.label)
  return after && { code, type: before.type, before: same, after: 'bytes' in after ? sent(context, after) : after }
}

/** What a PATCH comes to, or why it is refused. */
function patched(context: CaseContext, before: Resource, at: SourcePath): AskedWrite['after'] {
  const text = writeJsonText(context.source.json([...at, 'change']))
  const result = applyJsonPatch(before, text, context.policy.definitions, bounds)
  if (result.ok) return result.resource
  const cause = result.kind === 'malformed' ? 'body-malformed' : 'patch-not-applicable'
  return { refusals: malformedBody(result.faults, cause) }
}

/** A body with the `change` of the case, if it has one. */
function withChange(
  context: CaseContext,
  body: Written,
  bodyAt: SourcePath,
  input: CaseInput,
  at: SourcePath,
): Written | undefined {
  if (input.change === undefined) return body
  const document = documentOf(body, context.policy.definitions)
  if (document.ok) return changed(context, document.value, at, body.label)
  context.report(bodyAt, `This cannot be changed, since it cannot be read. ${tell(document.faults)}`)
  return undefined
}

/** A body that the JSON Patch of a case makes. That it does not apply is a mistake of the case. */
function changed(context: CaseContext, document: Json, at: SourcePath, label: string | undefined): Written | undefined {
  const changeAt = [...at, 'change']
  const result = patchJson(document, writeJsonText(context.source.json(changeAt)), bounds)
  if (result.ok) return bodyOf(result.json, label)
  const where = result.operation === undefined ? changeAt : [...changeAt, result.operation]
  context.report(where, tell(result.faults))
  return undefined
}

function jsonOf(resource: Resource): Json {
  const read = parseJsonText(writeJson(resource), 2 * bounds.nesting)
  if (!read.ok) throw new Error('A resource is written as JSON that cannot be read.')
  return read.value
}

function stored(context: CaseContext, body: Written, at: SourcePath): Resource | undefined {
  const read = parse(body, context.policy.definitions)
  if (read.ok) return read.value
  context.report(at, `The gateway could not read this stored resource. ${tell(read.faults)}`)
  return undefined
}

/** Before and after are compared in the format of the body, so the stored resource is read in that one. */
function asStoredIn(
  context: CaseContext,
  before: Resource,
  format: Format,
  wanted: Format,
  at: SourcePath,
): Resource | undefined {
  if (format === wanted) return before
  const read = inFormat(before, wanted, context.policy.definitions)
  if (read.ok) return read.value
  context.report(at, `The gateway could not read this stored resource as ${wanted.toUpperCase()}. ${tell(read.faults)}`)
  return undefined
}

function sent(context: CaseContext, body: Written): NonNullable<AskedWrite['after']> {
  const read = parse(body, context.policy.definitions)
  return read.ok ? read.value : { refusals: malformedBody(read.faults) }
}

/** The type of a body that is malformed, where it says one. */
function writtenType(context: CaseContext, body: Written): string | undefined {
  const document = documentOf(body, context.policy.definitions)
  const type =
    document.ok && document.value instanceof Map ? (document.value.get('resourceType') as unknown) : undefined
  return typeof type === 'string' ? type : undefined
}

function tell(faults: readonly { readonly expression?: string; readonly sentence: string }[]): string {
  return faults
    .map(({ expression, sentence }) => (expression === undefined ? sentence : `${expression}: ${sentence}`))
    .join(' ')
}
