import { fstatSync, statSync } from 'node:fs'
import { join, parse } from 'node:path'
import { auditEventsTarget } from '../audit/decisions/audit-events-target.ts'
import { createDecisions, type CountDecisions, type Decisions } from '../audit/decisions/decisions.ts'
import type { Delivering, Posted } from '../audit/decisions/deliver.ts'
import { fileTarget, stdoutTarget } from '../audit/decisions/lines-target.ts'
import type { Log } from '../audit/log.ts'
import type { DecisionSettings, GatewayConfig } from '../config/config.ts'
import { createUpstreamClient } from '../upstream/client.ts'
import { readCredentials } from './credentials.ts'

/** What is counted of decision records. */
export interface DecisionCounts {
  readonly decisions: CountDecisions
  /** Counts a try to deliver an AuditEvent. */
  auditEvent(result: 'delivered' | 'set-aside' | 'failed'): void
}

export interface OpenDecisions {
  readonly decisions: Decisions
  /** Of the queue on the disk, where there is one. */
  queueBytes(): number
}

/** What takes decision records, as gateway.yaml has it; undefined where none are kept. */
export function openDecisions(
  settings: DecisionSettings,
  timeouts: GatewayConfig['timeouts'],
  log: Log,
  counts: DecisionCounts,
): OpenDecisions | undefined {
  if (settings === 'off') return undefined
  const count: CountDecisions = (...counted) => counts.decisions(...counted)
  switch (settings.to) {
    case 'stdout':
      return {
        decisions: createDecisions(stdoutTarget(), { ...settings, required: false }, log, count),
        queueBytes: () => 0,
      }
    case 'file': {
      const decisions = createDecisions(fileTarget(settings.file, settings.required), settings, log, count)
      // Opens the file at once: a folder that is not there is told at the start, not when the first write is refused for it.
      void decisions.write([])
      return { decisions, queueBytes: () => 0 }
    }
    case 'audit-events': {
      const { required, queue, queueBytes, release } = settings
      const { post, close } = posting(settings, timeouts)
      const target = auditEventsTarget({
        folder: queue,
        maxBytes: queueBytes,
        sync: required,
        release,
        post,
        tried: toldOnce(log, counts),
      })
      const closing = { ...target, close: () => target.close().finally(close) }
      return { decisions: createDecisions(closing, settings, log, count), queueBytes: target.queueBytes }
    }
  }
}

/** The largest answer to an AuditEvent that is read, in bytes. */
const largestAnswer = 1024 * 1024

/** The way to the server of AuditEvents. Its credentials are read for each, so that a file may be another one. */
function posting(
  { url, headerFile }: Extract<DecisionSettings, { to: 'audit-events' }>,
  timeouts: GatewayConfig['timeouts'],
) {
  const base = new URL(url)
  const client = createUpstreamClient(base.origin, timeouts)
  const path = `${base.pathname.replace(/\/$/, '')}/AuditEvent`
  const post = async (event: string): Promise<Posted> => {
    const credentials = headerFile === undefined ? { headerFields: {} } : readCredentials([], headerFile)
    if ('mistake' in credentials) return { error: Object.assign(new Error('header-file'), { code: 'HEADER_FILE' }) }
    const reply = await client.send({
      method: 'POST',
      path,
      headerFields: {
        ...credentials.headerFields,
        'content-type': 'application/fhir+json;charset=utf-8',
        accept: 'application/fhir+json',
        prefer: 'return=minimal',
      },
      body: event,
      maxBytes: largestAnswer,
    })
    if ('status' in reply) return { status: reply.status }
    return { error: 'error' in reply ? reply.error : new Error(reply.kind) }
  }
  return { post, close: () => client.destroy() }
}

function toldOnce(log: Log, counts: DecisionCounts): Delivering['tried'] {
  let failing = false
  return (result, posted) => {
    counts.auditEvent(result)
    if (result === 'failed') {
      if (!failing) log.warn({ ...posted }, 'audit events are not delivered')
      failing = true
      return
    }
    if (failing) log.info({}, 'audit events are delivered again')
    failing = false
    if (result === 'set-aside') log.error({ ...posted }, 'an audit event is set aside')
  }
}

/**
 * Where the records of one of several workers go: a file is written by one process. A queue gives each its own by itself.
 * @param worker its number; undefined where one process serves
 */
export function decisionsOfWorker(settings: DecisionSettings, worker: number | undefined): DecisionSettings {
  if (worker === undefined || settings === 'off' || settings.to !== 'file') return settings
  const { dir, name, ext } = parse(settings.file)
  return { ...settings, file: join(dir, `${name}.${worker}${ext}`) }
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
