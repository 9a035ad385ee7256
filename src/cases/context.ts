import type { Policy } from '../policy/policy.ts'
import type { Diagnostic, Source, SourcePath } from '../policy/source.ts'
import { Bodies, type ReadBytes } from './bodies.ts'
import type { CaseFileInput } from './schema.ts'

/** What the reading of one case file shares. */
export class CaseContext {
  readonly diagnostics: Diagnostic[] = []
  readonly source: Source
  readonly policy: Policy
  readonly bodies: Bodies

  constructor(source: Source, input: CaseFileInput, policy: Policy, readBytes: ReadBytes) {
    this.source = source
    this.policy = policy
    this.bodies = new Bodies(this, input.resources ?? {}, readBytes)
  }

  report(path: SourcePath, message: string, options?: { at?: 'key' | 'value'; word?: string }): void {
    const diagnostic = this.source.diagnose(path, message, options)
    // What is wrong with a resource is found by every case that names it.
    const same = ({ line, column, message: known }: Diagnostic) =>
      line === diagnostic.line && column === diagnostic.column && known === message
    if (!this.diagnostics.some(same)) this.diagnostics.push(diagnostic)
  }

  inOrder(): Diagnostic[] {
    return [...this.diagnostics].sort((a, b) => a.line - b.line || a.column - b.column)
  }
}
