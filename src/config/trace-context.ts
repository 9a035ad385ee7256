/** What a traceparent says of the span that a request comes from. */
export interface TraceParent {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** 16 hexadecimal digits. */
  readonly spanId: string
  /** Its flags, of which the lowest bit says that the trace is recorded. */
  readonly flags: number
}

/** https://www.w3.org/TR/trace-context/#traceparent-header. What comes after version 00 may have more behind it. */
const traceparent = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-[ -~]*)?$/

const lengthOfVersion00 = 55
const mostOfTraceparent = 128

/** Reads a traceparent header field; undefined for what is none. */
export function readTraceparent(text: string | undefined): TraceParent | undefined {
  if (text === undefined || text.length > (text.startsWith('00') ? lengthOfVersion00 : mostOfTraceparent))
    return undefined
  const match = traceparent.exec(text)
  return match ? { traceId: match[1]!, spanId: match[2]!, flags: Number.parseInt(match[3]!, 16) } : undefined
}

/** The traceparent of a span, in version 00. */
export function writeTraceparent({ traceId, spanId, flags }: TraceParent): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`
}

/** https://www.w3.org/TR/trace-context/#tracestate-header-field-values */
const member =
  /^(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})=[ -+\--<>-~]{0,255}[!-+\--<>-~]$/

/** The most members, and the most characters that are handed on. */
const mostMembers = 32
const mostCharacters = 512

/** Whether a tracestate header field is well-formed; one without any member is not worth handing on. */
export function isTracestate(text: string): boolean {
  if (text.length > mostCharacters) return false
  const members = text.split(',').map((part) => part.replaceAll(/^[ \t]+|[ \t]+$/g, ''))
  const named = members.filter((part) => part !== '')
  const keys = new Set(named.map((part) => part.slice(0, part.indexOf('='))))
  return (
    named.length > 0 &&
    members.length <= mostMembers &&
    keys.size === named.length &&
    named.every((part) => member.test(part))
  )
}
