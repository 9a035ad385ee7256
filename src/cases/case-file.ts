import type { Policy } from '../policy/policy.ts'
import { diagnoseSchema } from '../policy/diagnose-schema.ts'
import { readSource, type Diagnostic, type Source } from '../policy/source.ts'
import type { ReadBytes } from './bodies.ts'
import type { Case } from './case.ts'
import { CaseContext } from './context.ts'
import { readCase } from './read-case.ts'
import { caseFileSchema, type CaseFileInput } from './schema.ts'

/** A case file of the right shape; what its cases name has not been looked for. */
export interface CaseFile {
  readonly source: Source
  readonly input: CaseFileInput
  /** The path of the policy file, relative to the case file. */
  readonly policy: string
}

export type CaseFileRead =
  | { readonly ok: true; readonly file: CaseFile }
  /** Also a mistaken file is beside a policy: the one that it names, or that is named like it. */
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[]; readonly policy: string }

/** How the name of a case file ends. */
export const caseFileEnding = /\.cases\.ya?ml$/

/**
 * Reads the text of a case file, or tells every mistake in its shape.
 * @param file its name as diagnostics give it: `policies/x.cases.yaml`
 */
export function readCaseFile(file: string, text: string): CaseFileRead {
  const source = readSource(file, text)
  const named = (source.data as { readonly policy?: unknown } | null | undefined)?.policy
  const policy = typeof named === 'string' ? named : `${file.replace(/^.*[/\\]/, '').replace(caseFileEnding, '')}.yaml`
  if (source.diagnostics.length > 0) return { ok: false, diagnostics: source.diagnostics, policy }
  const read = caseFileSchema.safeParse(source.data)
  return read.success
    ? { ok: true, file: { source, input: read.data, policy } }
    : { ok: false, diagnostics: diagnoseSchema(source, read.error, caseFileSchema), policy }
}

export type CasesRead =
  | { readonly ok: true; readonly cases: readonly Case[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }

/** Reads the cases of a file for its policy, or tells every mistake in them. */
export function readCases({ source, input }: CaseFile, policy: Policy, readBytes: ReadBytes): CasesRead {
  const context = new CaseContext(source, input, policy, readBytes)
  const names = new Set<string>()
  const cases = input.cases.flatMap((one, i) => {
    if (names.has(one.case)) context.report(['cases', i, 'case'], 'Another case has this name already.')
    names.add(one.case)
    return readCase(context, one, ['cases', i])
  })
  return context.diagnostics.length > 0 ? { ok: false, diagnostics: context.inOrder() } : { ok: true, cases }
}
