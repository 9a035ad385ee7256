/** Turns URLs below an upstream's FHIR base into URLs below the gateway's own. */
export interface BaseUrls {
  /** The gateway's own base, without trailing slash. */
  readonly own: string
  /** The upstream's base, without trailing slash. */
  readonly upstream: string
  /** A whole URL: ours when it lies below the upstream's base, else as it was. */
  url(url: string): string
  /** A URL of a header field, absolute or an absolute path: ours; undefined when it leads elsewhere on the upstream. */
  ownUrl(url: string): string | undefined
  /** A text with `[removed]` for the upstream's host. A bare name of one word (`hapi`) is a word like any other. */
  withoutHost(text: string): string
  /** Every URL below the upstream's base that occurs in a text. */
  inText(text: string): string
}

/** Both are FHIR base URLs. They are compared at the end of a segment: `http://hapi/fhir` is not in `http://hapi/fhirx`. */
export function baseUrls(ownBase: string, upstreamBase: URL): BaseUrls {
  const own = ownBase.replace(/\/$/, '')
  const upstream = upstreamBase.href.replace(/\/$/, '')

  const below = (url: string, base: string): string | undefined => {
    if (!url.startsWith(base)) return undefined
    const rest = url.slice(base.length)
    return rest === '' || /^[/?#]/.test(rest) ? own + rest : undefined
  }
  return {
    own,
    upstream,
    url: (url) => below(url, upstream) ?? url,
    ownUrl(url) {
      if (below(url, own) !== undefined) return url
      if (/^\/\/|^[/\\]*\\/.test(url)) return undefined
      const absolute = url.startsWith('/') ? upstreamBase.origin + url : url
      if (!URL.canParse(absolute)) return /^[a-z][a-z0-9+.-]*:/i.test(url) ? undefined : url
      // Read as a client would, so that `HTTP://HAPI:8080/fhir` is known and `/fhir/../admin` is not below the base.
      const read = new URL(absolute)
      return read.hostname === upstreamBase.hostname ? below(read.href, upstream) : url
    },
    withoutHost(text) {
      const { origin, host, hostname } = upstreamBase
      const hosts = [origin, host, hostname].filter((name) => /[.:]/.test(name))
      const anyHost = new RegExp(`(?<![\\w.-])(?:${hosts.map(escapeRegExp).join('|')})(?![\\w-])`, 'gi')
      return text.replaceAll(anyHost, '[removed]')
    },
    inText(text) {
      const anywhere = new RegExp(`${escapeRegExp(upstream)}(?![A-Za-z0-9_~%@:-]|\\.[A-Za-z0-9])`, 'g')
      return text.replaceAll(anywhere, () => own)
    },
  }
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}
