/** The longest that is waited at once, in milliseconds. */
const longest = 5 * 60_000

/**
 * How long to wait before a busy server is asked again, in milliseconds; undefined when it asks for more than five minutes.
 * Without a time of its own: two seconds, and twice as long each time.
 * https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
export function waitingTime(retryAfter: string | undefined, attempt: number, now: number): number | undefined {
  const text = retryAfter?.trim() ?? ''
  const asked = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  if (Number.isNaN(asked)) return Math.min(1000 * 2 ** attempt, longest)
  return asked > longest ? undefined : Math.max(asked, 1000)
}
