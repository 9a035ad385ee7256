import { loadConfig, type LoadedConfig } from '../config/load.ts'
import { writeMarkdown } from '../policy/words/markdown.ts'
import { policyInWords, type PolicyInWords } from '../policy/words/words.ts'
import type { Colours } from './colour.ts'
import { counted, writeMistakes } from './config-mistakes.ts'
import { writePage } from './page-text.ts'

export interface Checked {
  /** Of the process. */
  readonly exitCode: 0 | 1
  readonly text: string
}

export interface CheckOptions {
  /** A folder with a gateway.yaml, or such a file. */
  readonly configPath: string
  /** As Markdown, and nothing else, for a page that can be signed off. */
  readonly markdown: boolean
  readonly colours: Colours
}

/** Reads a config and the policies that it names, and tells every mistake, or the policies in words. */
export function check({ configPath, markdown, colours }: CheckOptions): Checked {
  const result = loadConfig(configPath)
  if (!result.ok) return { exitCode: 1, text: writeMistakes(result) }
  const { loaded } = result
  // Several bases may have the same policy.
  const policies = [...new Set(loaded.bases.map(({ compiled }) => compiled))].map(policyInWords)
  if (markdown) return { exitCode: 0, text: policies.map(({ blocks }) => writeMarkdown(blocks)).join('\n') }
  const pages = policies.map(({ blocks }) => writePage(blocks, colours))
  return { exitCode: 0, text: [...pages, summary(loaded, policies, colours)].join('\n') }
}

function summary({ file, bases }: LoadedConfig, policies: readonly PolicyInWords[], colours: Colours): string {
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
  const served = bases.map(({ path, compiled }) => `${path}  ${compiled.name}`)
  const rules = counted(
    sum((policy) => policy.rules),
    'rule',
    'rules',
  )
  const clean = colours.good(`No mistakes in ${file}: ${counted(bases.length, 'base', 'bases')}, ${rules}.`)
  return `${[...served, ...warning, clean].join('\n')}\n`
}
