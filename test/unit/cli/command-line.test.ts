import { describe, expect, it } from 'vitest'
import { commands, parseCommandLine } from '../../../src/cli/command-line.ts'
import { helpText } from '../../../src/cli/help.ts'
import { variables } from '../../../src/config/environment.ts'

describe('the command line', () => {
  it.each([
    [[], { name: 'serve', operands: [], options: {} }],
    [['serve'], { name: 'serve', operands: [], options: {} }],
    [['check'], { name: 'check', operands: [], options: {} }],
    [['check', 'config'], { name: 'check', operands: ['config'], options: {} }],
    [['--help'], { name: 'help' }],
    [['serve', '-h'], { name: 'help', of: 'serve' }],
    [['--version'], { name: 'version' }],
    [['-v'], { name: 'version' }],
  ])('%j asks for %j', (args, command) => {
    expect(parseCommandLine(args)).toEqual(command)
  })

  it.each([
    [['chek'], "There is no command 'chek'. Did you mean `check`?"],
    [['constructor'], "There is no command 'constructor'."],
    [['--port', '1'], "Unknown option '--port'."],
    [['check', '--markdwn'], "Unknown option '--markdwn'. Did you mean `--markdown`?", 'check'],
    [['check', '--constructor'], "Unknown option '--constructor'.", 'check'],
    [['serve', 'x'], 'Too many operands. Expected: fhir-policy-gateway serve', 'serve'],
    [['check', 'x', 'y'], 'Too many operands. Expected: fhir-policy-gateway check [config or policy]', 'check'],
  ])('%j is a mistake', (args, mistake, of?: string) => {
    expect(parseCommandLine(args)).toEqual({ name: 'mistaken', mistake, of })
  })

  it('is explained by --help, with every command and every environment variable', () => {
    const text = helpText()
    for (const name of [...Object.values(commands).map(({ usage }) => usage), ...variables.map(([name]) => name)]) {
      expect(text).toContain(`  ${name}  `)
    }
  })
})
