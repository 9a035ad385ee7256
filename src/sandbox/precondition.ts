import type { Version } from './store.ts'

/**
 * The version that If-Match names, read as laxly as HAPI does: `W/"2"`, `"2"`, a bare `2`, `W/"02"`. `none` when it is
 * absent or empty (the update is then unconditional), `unreadable` for anything else.
 */
export function readIfMatch(field: string | undefined): number | 'none' | 'unreadable' {
  const match = /^(?:W\/"([^"]*)"|"([^"]*)"|([^"]*))$/.exec((field ?? '').trim())
  const version = match?.slice(1).find((group) => group !== undefined)
  if (version === '') return 'none'
  return version !== undefined && /^[+-]?\d+$/.test(version) ? Number(version) : 'unreadable'
}

/** Whether a conditional read can be answered with 304. If-None-Match outranks If-Modified-Since. */
export function notModified(version: Version, ifNoneMatch?: string, ifModifiedSince?: string): boolean {
  if (ifNoneMatch !== undefined && ifNoneMatch.trim() !== '') {
    return ifNoneMatch.split(',').some((tag) => readIfMatch(tag) === version.version)
  }
  const since = Date.parse(ifModifiedSince ?? '')
  // HTTP dates have no milliseconds.
  return Math.floor(version.lastUpdated.getTime() / 1000) * 1000 <= since
}
