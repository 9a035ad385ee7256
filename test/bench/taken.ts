import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { pinned } from './child.ts'

const processor = () => cpus()[0]?.model.trim() ?? 'unknown processor'

/** Where ratios of CPU time are the same: what a system call costs, and how fast Node is, differ elsewhere. */
export const machine = (): string =>
  `${processor()}, ${process.platform} ${release().split('-')[0]}, Node ${process.versions.node.split('.')[0]}, ${pinned ? 'one core' : 'any core'}`

/** On what, of what and when something was measured, in one sentence each. */
export function taken(): string {
  const memory = Math.round(totalmem() / 1024 ** 3)
  const where = `${availableParallelism()} cores of ${processor()}, ${memory} GiB, ${process.platform}, Node ${process.versions.node}`
  const cores = pinned
    ? 'what is measured has one core, stub and load the other'
    : 'processes are not bound to cores, because there is no taskset or only one core'
  return `${new Date().toISOString().slice(0, 10)}, commit ${commit()}. ${where}; ${cores}.`
}

function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim()
  try {
    return (
      git('rev-parse', '--short', 'HEAD') +
      (git('status', '--porcelain', 'src', 'config') === '' ? '' : ' with changes')
    )
  } catch {
    return 'unknown'
  }
}
