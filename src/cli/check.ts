import { resolve } from 'node:path'
import {
  isFolder,
  isPolicyFile,
  loadConfig,
  loadPolicy,
  shown,
  type Loaded,
  type LoadedConfig,
} from '../config/load.ts'
import type { Policy } from '../policy/policy.ts'
import { writeMarkdown } from '../policy/words/markdown.ts'
import { policyInWords, type PolicyInWords } from '../policy/words/words.ts'
import type { Colours } from './colour.ts'
import { counted, writeMistakes } from './config-mistakes.ts'
import { writePage } from './page-text.ts'

export interface Checked {
  /** Of the process: 1 when there is a mistake, 2 when there is no such file. */
  readonly exitCode: 0 | 1 | 2
  readonly text: string
}

export interface CheckOptions {
  /** A folder with a gateway.yaml, such a file, or a policy by itself. */
  readonly path: string
  /** Nobody named it: it is the config that comes with the program. */
  readonly packaged: boolean
  /** As Markdown, and nothing else, for a page that can be signed off. */
  readonly markdown: boolean
  readonly colours: Colours
}

/** Reads a config and the policies that it names, and tells every mistake, or the policies in words. */
export function check({ path, packaged, markdown, colours }: CheckOptions): Checked {
  const read = readForCheck(path)
  if (!read.ok) return { exitCode: 'mistake' in read ? 2 : 1, text: writeMistakes(read) }
  const policies = read.policies.map(policyInWords)
  if (markdown) return { exitCode: 0, text: policies.map(({ blocks }) => writeMarkdown(blocks)).join('\n') }
  const pages = policies.map(({ blocks }) => writePage(blocks, colours))
  const hint = packaged ? 'It came with the program. Name yours: fhir-policy-gateway check FOLDER\n' : ''
  return { exitCode: 0, text: [...pages, summary(read, policies, colours) + hint].join('\n') }
}

/** What is checked: a config with its policies, or a policy alone. */
interface Sound {
  readonly ok: true
  /** As messages show it. */
  readonly file: string
  readonly policies: readonly Policy[]
  /** Undefined for a policy alone. */
  readonly bases: LoadedConfig['bases'] | undefined
}

function readForCheck(path: string): Sound | Extract<Loaded, { ok: false }> {
  if (isPolicyFile(path)) {
    const read = loadPolicy(path)
    return read.ok ? { ok: true, file: shown(resolve(path)), policies: [read.policy], bases: undefined } : read
  }
  const read = loadConfig(path)
  if (!read.ok) {
    const mayBePolicies = 'mistake' in read && isFolder(path)
    return mayBePolicies ? { ok: false, mistake: `${read.mistake} To check a policy alone, name its file.` } : read
  }
  const { file, bases, doubts } = read.loaded
  // It would be served; who checks it wants to know.
  if (doubts.length > 0) return { ok: false, diagnostics: doubts, policies: 0 }
  // Several bases may have the same policy.
  return { ok: true, file, policies: [...new Set(bases.map(({ compiled }) => compiled))], bases }
}

function summary({ file, bases }: Sound, policies: readonly PolicyInWords[], colours: Colours): string {
  const sum = (count: (policy: PolicyInWords) => number) => policies.reduce((total, one) => total + count(one), 0)
  const open = sum((policy) => policy.open)
  const warning =
    open === 0
      ? []
      : [
          colours.doubtful(
            `Warning: ${counted(open, 'subtree is', 'subtrees are')} open, and may hold more than the rules name. See “Open subtrees”.`,
          ),
        ]
  const served = (bases ?? []).map(({ path, compiled, headerFieldsAsked }) => {
    const unasked = compiled.headerFields.length > 0 && !headerFieldsAsked
    return `${path}  ${compiled.name}${unasked ? '  (header-fields: off)' : ''}`
  })
  const rules = counted(
    sum((policy) => policy.rules),
    'rule',
    'rules',
  )
  const counts = bases ? `${counted(bases.length, 'base', 'bases')}, ${rules}` : rules
  const clean = colours.good(`No mistakes in ${file}: ${counts}.`)
  return `${[...served, ...warning, clean].join('\n')}\n`
}
