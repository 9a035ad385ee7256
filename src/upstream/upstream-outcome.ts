import { isIPv6 } from 'node:net'
import { childrenOf, textOf, type Element, type Resource } from '../fhir/element.ts'
import { issueTypesOf } from '../fhir/issue-type.ts'
import type { OutcomeCoding, OutcomeIssue } from '../fhir/operation-outcome.ts'
import type { FhirRelease } from '../fhir/version.ts'
import type { BaseUrls } from './base-urls.ts'

const severities = ['fatal', 'error', 'warning', 'information'] as const
const maxIssues = 20
const maxCodings = 10
const maxTextLength = 2000

/** The issues of an upstream's OperationOutcome, rebuilt: what is not named here is not told on. */
export function issuesOf(outcome: Resource, release: FhirRelease, urls: BaseUrls): readonly OutcomeIssue[] {
  const known = issueTypesOf(release)
  return childrenOf(outcome, 'issue')
    .slice(0, maxIssues)
    .map((issue): OutcomeIssue => {
      const code = textOf(issue, 'code') ?? ''
      const details = detailsOf(childrenOf(issue, 'details')[0], urls)
      const diagnostics = withoutInternals(textOf(issue, 'diagnostics'), urls)
      const texts = (name: string) =>
        childrenOf(issue, name).flatMap((item) => withoutInternals(item.value?.text, urls) ?? [])
      return {
        severity: severities.find((severity) => severity === textOf(issue, 'severity')) ?? 'error',
        code: known.has(code) ? code : 'processing',
        ...(details && { details }),
        ...(diagnostics !== undefined && { diagnostics }),
        location: texts('location'),
        expression: texts('expression'),
      }
    })
}

function detailsOf(details: Element | undefined, urls: BaseUrls): OutcomeIssue['details'] {
  if (!details) return undefined
  const coding = childrenOf(details, 'coding')
    .slice(0, maxCodings)
    .flatMap((item): OutcomeCoding[] => {
      const told = (name: string) => withoutInternals(textOf(item, name), urls)
      const system = told('system')
      const code = told('code')
      const display = told('display')
      if (system === undefined || code === undefined) return []
      return [{ system, code, ...(display !== undefined && { display }) }]
    })
  const text = withoutInternals(textOf(details, 'text'), urls)
  if (text === undefined && coding.length === 0) return undefined
  return { ...(coding.length > 0 && { coding }), ...(text !== undefined && { text }) }
}

/** Names that lead into a network: a dotted name with such a label in it. */
const internalName =
  /(?<![\w.-])(?:[\w-]+\.)+(?:internal|intranet|local|localdomain|lan|corp|svc)(?![\w-])(?:\.[\w-]+)*(?::\d+)?/gi
/** `com.example.Thing$Inner`, with the colon that a Java message puts after it. A name in a URL's path is not one. */
const javaName = /(?<![\w./:-])(?:[a-z_][a-z0-9_]*\.){2,}[A-Z]\w*(?:\$\w+)*(?:#\w+)?:?\s?/g
/** To the end of the text. The white space before it is trimmed afterwards. */
const stackTrace = /(?:\bat [\w.$/@]+\([^()\n]*\)|\.\.\. \d+ more|Caused by:)[\s\S]*$/
const jdbcUrl = /\bjdbc:\S+/gi
const anyUrl = /(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]*[^\s"'<>.,;:)\]]/gi
const canonicalUrl = /^https?:\/\/((?:[a-z0-9-]+\.)+[a-z]{2,})(?=[/?#]|$)/i
const credentials = /\b(?:user(?:_?name)?|password|passwd|pwd|secret|token|api[_-]?key)=(?:"[^"]*"|'[^']*'|\S+)/gi
const ipv4 = /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?!\w|\.\w)/g
const ipv6 = /(?<![\w:.])\[?((?:[0-9a-f]{0,4}:){2,}(?:[0-9a-f.]*[0-9a-f]|(?<=::)))(?:%\w+)?\]?(?::\d+)?/gi
/** A word with a port: one of four digits or five unless the name has a dot, a hyphen or a digit (`line:12` is none). */
const hostAndPort = /(?<![\w.:/-])(?:[a-z]\w*(?:[.-]\w+)+:\d{2,5}|[a-z]+:\d{4,5}|[a-z]\w*\d:\d{2,5})(?![\w-]|\.\d)/gi
const removed = '[removed]'

/**
 * A text of the upstream without stack traces, class names, credentials, hosts and its own base; what is longer than
 * 2000 characters is cut. Undefined when nothing is left.
 */
export function withoutInternals(text: string | undefined, urls: BaseUrls): string | undefined {
  if (text === undefined) return undefined
  // The gateway's own base may lie on the same host: it is put in last.
  const own = '\u0000'
  const cleaned = urls
    .withoutHost(urls.inText(cut(text)).replaceAll(urls.own, own).replace(stackTrace, '').replaceAll(jdbcUrl, removed))
    .replaceAll(anyUrl, (url) => (isCanonical(url) ? url : removed))
    .replaceAll(credentials, removed)
    .replaceAll(javaName, '')
    .replaceAll(internalName, removed)
    .replaceAll(ipv6, (found: string, address: string) => (isIPv6(address) && address !== '::' ? removed : found))
    .replaceAll(ipv4, removed)
    .replaceAll(hostAndPort, removed)
    .replaceAll(own, () => urls.own)
    .trim()
  return cleaned === '' ? undefined : cleaned
}

/**
 * A code system, a profile or an extension, which a client must be told by name. A URL is taken for one when it is of the
 * Web, at a public name, with no port and no user: what leads to a server of somebody's network has one or lacks another.
 */
function isCanonical(url: string): boolean {
  const host = canonicalUrl.exec(url)?.[1]
  return host !== undefined && host.search(internalName) < 0
}

/** Between two words: half a host would not be known for one. */
function cut(text: string): string {
  return text.length <= maxTextLength ? text : text.slice(0, maxTextLength).replace(/(?<!\S)\S*$/, '')
}
