import type { Loaded } from '../config/load.ts'
import { writeDiagnostic } from '../policy/source.ts'

/** Everything that keeps a config from being loaded, as text for a terminal. */
export function writeMistakes(failed: Extract<Loaded, { ok: false }>): string {
  if ('mistake' in failed) return `${failed.mistake}\n`
  const { diagnostics, policies } = failed
  const where = policies === 0 ? '' : ` in ${counted(policies, 'policy', 'policies')}`
  const errors = counted(diagnostics.length, 'error', 'errors')
  return `${diagnostics.map(writeDiagnostic).join('\n\n')}\n\n${errors}${where}. Nothing was loaded.\n`
}

/** The same without the lines of files, which may hold what belongs into no log. */
export function writePlaces(failed: Extract<Loaded, { ok: false }>): string {
  if ('mistake' in failed) return `${failed.mistake}\n`
  return failed.diagnostics.map(({ file, line, column, message }) => `${file}:${line}:${column}  ${message}\n`).join('')
}

/** `1 error`, `2 errors` */
export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}
