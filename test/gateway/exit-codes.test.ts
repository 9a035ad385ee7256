import { beforeAll, describe, expect, it } from 'vitest'
import { buildProgram, startProgram } from './program.ts'

beforeAll(buildProgram, 120_000)

const stored = 'config/sandbox/flag-2.json'
/** The system gives an error for it that is none of a file that is not there. */
const unreadable = `/${'x'.repeat(300)}`
const nowhere = 'http://127.0.0.1:1/fhir'

/** A script tells by the code whether what it asked for was mistaken, or failed. */
describe('the exit code of the program', () => {
  it.each<[number, string, string[], string]>([
    [0, 'a write that is explained, although it is refused', ['explain', '--after', stored], ''],
    [2, 'explain without a write', ['explain'], 'Name what is to be judged'],
    [2, 'an option that explain has not', ['explain', '--aftr', stored], "Unknown option '--aftr'."],
    [2, 'a record that is not there', ['explain', '--after', '/none.json'], '--after: There is no such file.'],
    [2, 'a record that cannot be read', ['explain', '--after', unreadable], '--after: The file cannot be read.'],
    [
      2,
      'a policy that is not there',
      ['explain', '--after', stored, '--policy', '/none'],
      '--policy: There is no file',
    ],
    [1, 'a server that does not answer explain', ['explain', '--after', `${nowhere}/Flag/1`], 'cannot be reached'],
    [2, 'backtest without a source', ['backtest'], 'Name where the histories come from'],
    [2, 'an option that backtest has not', ['backtest', '--upstram', nowhere], "Unknown option '--upstram'."],
    [2, 'histories that are not there', ['backtest', '--ndjson', '/none'], '--ndjson: there is no file /none.'],
    [2, 'histories that cannot be read', ['backtest', '--ndjson', unreadable], 'x cannot be read.'],
    [1, 'a server that does not answer backtest', ['backtest', '--upstream', nowhere], 'cannot be reached'],
    [2, 'a config that is not there', ['check', '/none'], 'There is no config file /none.'],
    [1, 'a config with a mistake', ['check', 'package.json'], 'Nothing was loaded.'],
  ])('is %i for %s', async (code, _what, args, complaint) => {
    const ended = await startProgram({}, args).ended
    expect(ended.stderr).toContain(complaint)
    expect(ended.stderr).not.toMatch(/^ +at /m)
    expect(ended.code).toBe(code)
  })
})
