import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { CannotGoOn } from '../../backtest/sources.ts'
import { otherSubject, readState, writeState, type BacktestState, type BacktestSubject } from '../../backtest/state.ts'

/**
 * The state in a file, if there is one, or why it cannot be gone on with.
 * @param subject what is asked for now
 */
export function loadState(
  file: string,
  subject: BacktestSubject,
): { readonly state: BacktestState | undefined } | { readonly mistake: string } {
  let text
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { state: undefined }
    return { mistake: '--state: the file cannot be read.' }
  }
  const state = readState(text)
  if (!state) return { mistake: '--state: the file is not the state of a backtest.' }
  const other = otherSubject(state.of, subject)
  if (other === undefined) return { state }
  return { mistake: `--state: the file is of a backtest with another ${other}. Name another file, or remove this one.` }
}

/**
 * Writes the state whole or not at all; only this user can read it, since it names resources.
 * @throws {CannotGoOn} when it cannot be written
 */
export function saveState(file: string, state: BacktestState): void {
  const beside = `${file}.${process.pid}.tmp`
  try {
    const handle = openSync(beside, 'w', 0o600)
    try {
      writeFileSync(handle, writeState(state))
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    renameSync(beside, file)
  } catch (error) {
    rmSync(beside, { force: true })
    throw new CannotGoOn('--state: the file cannot be written.', { cause: error })
  }
}
