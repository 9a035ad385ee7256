import { accessSync, constants, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { VersionIds } from '../../backtest/histories.ts'
import type { BacktestSubject } from '../../backtest/state.ts'
import { fhirBaseUrlExpected, parseFhirBaseUrl } from '../../config/upstream-url.ts'
import { textOption, textOptions, type OptionValues } from '../command-line.ts'
import { readCredentials } from '../credentials.ts'

/** What the command line asks of a backtest. */
export interface Asked {
  readonly policyFile: string | undefined
  /** Undefined when files are read instead. */
  readonly upstream: URL | undefined
  /** Whose histories are read: `Flag`, `Flag/1`, or empty for everything. */
  readonly targets: readonly string[]
  readonly types: readonly string[]
  readonly files: readonly string[]
  readonly stateFile: string | undefined
  readonly examples: number
  readonly showContent: boolean
  readonly pageSize: number
  readonly versionIds: VersionIds
  readonly serverOwned: readonly (readonly string[])[]
  readonly bases: readonly string[]
  readonly headerFields: Readonly<Record<string, string>>
  readonly json: boolean
  /** What makes it another backtest than one with other options. */
  readonly subject: BacktestSubject
}

const id = /^[A-Z][A-Za-z]{0,63}\/[A-Za-z0-9\-.]{1,64}$/
const type = /^[A-Z][A-Za-z]{0,63}$/
const path = /^[a-z][A-Za-z]*(?:\.[a-z][A-Za-z]*)*$/
const base = /^https?:\/\/[^/?#\s]+(?:\/[^?#\s]*[^/?#\s])?$/

/** Reads the options, or says what is wrong with one. */
export function readAsked(options: OptionValues): Asked | { readonly mistake: string } {
  const upstreamText = textOption(options, 'upstream')
  const upstream = upstreamText === undefined ? undefined : parseFhirBaseUrl(upstreamText)
  const files = textOptions(options, 'ndjson').map((file) => resolve(file))
  const types = [...new Set(textOptions(options, 'type'))]
  // The history of a type has those of its resources in it.
  const ids = [...new Set(textOptions(options, 'id'))].filter((one) => !types.includes(one.split('/')[0]!))
  const versionIds = textOption(options, 'versions') ?? 'counted'
  const serverOwned = [...new Set(textOptions(options, 'server-owned'))].sort()
  const examples = numberOf(options, 'examples', 3, 0, 1000)
  const pageSize = numberOf(options, 'page-size', 100, 1, 10_000)
  const bases = textOptions(options, 'base')
  const showContent = options['show-content'] === true

  if ((upstreamText === undefined) === (files.length === 0)) {
    return { mistake: 'Name where the histories come from: --upstream, or --ndjson for files.' }
  }
  if (upstreamText !== undefined && !upstream) return { mistake: `--upstream: expected ${fhirBaseUrlExpected}.` }
  if (!types.every((one) => type.test(one))) return { mistake: '--type: expected a resource type such as Flag.' }
  if (!ids.every((one) => id.test(one))) return { mistake: '--id: expected a type and an id such as Flag/1.' }
  if (ids.length > 0 && files.length > 0) return { mistake: '--id goes with --upstream; of files, --type chooses.' }
  const unreadable = files.flatMap((file) => whyUnreadable(file) ?? [])
  if (unreadable.length > 0) return { mistake: `--ndjson: ${unreadable[0]}` }
  if (versionIds !== 'counted' && versionIds !== 'opaque') return { mistake: '--versions: expected counted or opaque.' }
  if (!serverOwned.every((one) => path.test(one))) {
    return { mistake: '--server-owned: expected names of elements below the resource such as meta.source.' }
  }
  if (!bases.every((one) => base.test(one))) {
    return { mistake: '--base: expected an absolute http(s) URL without a trailing slash.' }
  }
  if (examples === undefined) return { mistake: '--examples: expected a number from 0 to 1000.' }
  if (pageSize === undefined) return { mistake: '--page-size: expected a number from 1 to 10000.' }
  const credentials = readCredentials(textOptions(options, 'header'), textOption(options, 'header-file'))
  if ('mistake' in credentials) return credentials

  const upstreamBase = upstream?.href.replace(/\/$/, '')
  const targets = types.length + ids.length > 0 ? [...types, ...ids] : ['']
  return {
    policyFile: textOption(options, 'policy'),
    upstream,
    targets,
    types,
    files,
    stateFile: textOption(options, 'state'),
    examples,
    showContent,
    pageSize,
    versionIds,
    serverOwned: serverOwned.map((one) => one.split('.')),
    bases: upstreamBase === undefined ? bases : [upstreamBase, ...bases],
    headerFields: credentials.headerFields,
    json: options['json'] === true,
    subject: {
      ...(upstreamBase === undefined ? { files: filesOf(files) } : { upstream: upstreamBase }),
      'choice of resources': targets.join(' '),
      'kind of version ids': versionIds,
      'list of server-owned elements': serverOwned.join(' '),
      'list of bases': bases.join(' '),
      'choice of what to show': `${examples}${showContent ? ' with content' : ''}`,
    },
  }
}

/** Before anything is read; undefined when it can be. */
function whyUnreadable(file: string): string | undefined {
  try {
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return `there is no file ${file}.`
    accessSync(file, constants.R_OK)
    return undefined
  } catch {
    return `${file} cannot be read.`
  }
}

/** Files that have been changed are others. */
const filesOf = (files: readonly string[]) =>
  files.map((file) => `${file} ${statSync(file).size} ${statSync(file).mtimeMs}`).join('\n')

function numberOf(
  options: OptionValues,
  name: string,
  preset: number,
  least: number,
  most: number,
): number | undefined {
  const text = textOption(options, name)
  if (text === undefined) return preset
  return /^\d{1,6}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined
}
