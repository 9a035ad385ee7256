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
  /** Every URL below the upstream's base that occurs in a text. */
  inText(text: string): string
}

/** Both are FHIR base URLs. They are compared at the end of a segment: `http://hapi/fhir` is not in `http://hapi/fhirx`. */
export function baseUrls(ownBase: string, upstreamBase: URL): BaseUrls {
  const own = ownBase.replace(/\/$/, '')
  const upstream = upstreamBase.href.replace(/\/$/, '')
  const path = upstreamBase.pathname.replace(/\/$/, '')

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
      const ours = below(url, upstream)
      if (ours !== undefined) return ours
      if (url.startsWith('/') && !url.startsWith('//')) return below(url, path)
      return url.startsWith(`${upstreamBase.origin}/`) || url.startsWith('//') ? undefined : url
    },
    inText(text) {
      const anywhere = new RegExp(`${escapeRegExp(upstream)}(?![A-Za-z0-9_~%@:-]|\\.[A-Za-z0-9])`, 'g')
      return text.replaceAll(anywhere, () => own)
    },
  }
}

export function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}
