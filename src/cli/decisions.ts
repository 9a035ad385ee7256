import { fstatSync, statSync } from 'node:fs'
import { createDecisions, type CountDecisions, type Decisions } from '../audit/decisions/decisions.ts'
import { fileTarget, stdoutTarget } from '../audit/decisions/lines-target.ts'
import type { Log } from '../audit/log.ts'
import type { DecisionSettings } from '../config/config.ts'

/** What takes decision records, as gateway.yaml has it; undefined where none are kept. */
export function openDecisions(settings: DecisionSettings, log: Log, count: CountDecisions): Decisions | undefined {
  if (settings === 'off') return undefined
  const { callerHeaderFields } = settings
  if (settings.to === 'stdout') {
    return createDecisions(stdoutTarget(), { required: false, callerHeaderFields }, log, count)
  }
  const { file, required } = settings
  return createDecisions(fileTarget(file, required), { required, callerHeaderFields }, log, count)
}

/** Why decision records cannot go where they are to; undefined when they can. A file may be the one to which the log goes. */
export function decisionsMistake(settings: DecisionSettings, log: 'stdout' | 'stderr'): string | undefined {
  if (settings === 'off' || settings.to !== 'file') return undefined
  const ofLog = fstatSync(log === 'stdout' ? 1 : 2)
  const own = statOf(settings.file)
  if (own?.dev !== ofLog.dev || own.ino !== ofLog.ino) return undefined
  return 'decisions: the log goes to the same file, and who reads it must not read the ids of records.'
}

function statOf(file: string) {
  try {
    return statSync(file)
  } catch {
    return undefined
  }
}
