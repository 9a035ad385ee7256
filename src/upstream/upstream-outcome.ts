import { childrenOf, textOf, type Element, type Resource } from '../fhir/element.ts'
import { issueTypesOf } from '../fhir/issue-type.ts'
import type { OutcomeIssue } from '../fhir/operation-outcome.ts'
import type { FhirRelease } from '../fhir/version.ts'
import { escapeRegExp, type BaseUrls } from './base-urls.ts'

const severities = ['fatal', 'error', 'warning', 'information'] as const
const maxIssues = 20
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
  const coding = childrenOf(details, 'coding')[0]
  const system = coding && textOf(coding, 'system')
  const code = coding && textOf(coding, 'code')
  const display = coding && withoutInternals(textOf(coding, 'display'), urls)
  const text = withoutInternals(textOf(details, 'text'), urls)
  if (text === undefined && (system === undefined || code === undefined)) return undefined
  return {
    ...(system !== undefined &&
      code !== undefined && { coding: { system: urls.url(system), code, ...(display !== undefined && { display }) } }),
    ...(text !== undefined && { text }),
  }
}

/** `com.example.Thing$Inner`, with the colon that a Java message puts after it. A name in a URL's path is not one. */
const javaName = /(?<![\w./:-])(?:[a-z_][a-z0-9_]*\.){2,}[A-Z]\w*(?:\$\w+)*(?:#\w+)?:?\s?/g
const stackTrace = /(?:\r?\n)?\s*(?:\bat [\w.$/@]+\([^()\n]*\)|\.\.\. \d+ more|Caused by:)[\s\S]*$/
const connectionUrl = /\b(?:jdbc:\S+|(?:tcp|amqp|redis|ldap|postgresql|mysql):\/\/\S+)/g
const address = /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?![\w.])|\[[0-9a-f:]+\](?::\d+)?/gi

/** A text of the upstream without stack traces, class names, hosts and its own base. Undefined when nothing is left. */
export function withoutInternals(text: string | undefined, urls: BaseUrls): string | undefined {
  if (text === undefined) return undefined
  const { protocol, host, hostname } = new URL(urls.upstream)
  // A bare name of one word (`hapi`) is not a host to the eye of a regular expression; with a port or a dot it is.
  const hosts = [`${protocol}//${host}`, host, hostname].filter((name) => /[.:]/.test(name))
  const anyHost = new RegExp(`(?<![\\w.-])(?:${hosts.map(escapeRegExp).join('|')})(?![\\w-])`, 'gi')
  // The gateway's own base may lie on the same host: it is put in last.
  const own = '\u0000'
  const cleaned = urls
    .inText(text)
    .replaceAll(urls.own, own)
    .replace(stackTrace, '')
    .replaceAll(connectionUrl, '[removed]')
    .replaceAll(javaName, '')
    .replaceAll(anyHost, '[removed]')
    .replaceAll(address, '[removed]')
    .replaceAll(own, () => urls.own)
    .trim()
  return cleaned === '' ? undefined : cleaned.slice(0, maxTextLength)
}
