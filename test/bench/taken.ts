import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { pinned } from './child.ts'

/** On what, of what and when something was measured, in one sentence each. */
export function taken(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor'
  const memory = Math.round(totalmem() / 1024 ** 3)
  const where = `${availableParallelism()} cores of ${model}, ${memory} GiB, ${process.platform}, Node ${process.versions.node}`
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
