import { counted } from '../../backtest/report-text.ts'
import type { Report } from '../../backtest/report.ts'
import type { Batch } from '../../backtest/sources.ts'

const barLength = 20

/** One line for a person who waits: what has been judged, how far it is, and how long it has taken. */
export function progressLine(report: Report, { progress }: Batch, milliseconds: number): string {
  const types = Object.values(report.types)
  const writes = types.flatMap((of) => Object.values(of.writes)).reduce((sum, { count }) => sum + count, 0)
  const histories = types.reduce((sum, of) => sum + of.histories, 0)
  const { target, done, total } = progress
  const share = total === undefined || total === 0 ? undefined : Math.min(1, done / total)
  const full = Math.round((share ?? 0) * barLength)
  const bar =
    share === undefined ? '' : `${'█'.repeat(full)}${'░'.repeat(barLength - full)} ${Math.floor(share * 100)} %  `
  return `${target}  ${counted(writes, 'write')} in ${counted(histories, 'history', 'histories')}  ${bar}${lasted(milliseconds)}`
}

/** `2 h 5 m`, `2 m 10 s`, `9 s` */
function lasted(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000)
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  if (hours > 0) return `${hours} h ${minutes} m`
  return minutes > 0 ? `${minutes} m ${seconds % 60} s` : `${seconds} s`
}
