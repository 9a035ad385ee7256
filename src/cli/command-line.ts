import { parseArgs } from 'node:util'
import { didYouMean } from '../policy/did-you-mean.ts'

/** What the command line asks for. */
export type Command =
  | { readonly name: 'serve' | 'help' | 'version' }
  | { readonly name: 'check'; readonly configPath?: string }
  | { readonly name: 'mistaken'; readonly mistake: string }

/** The commands, for `--help`, and the most operands that each takes. */
export const commands = {
  serve: { operands: 0, usage: 'serve', meaning: 'Serve the gateway. This is what happens without a command.' },
  check: {
    operands: 1,
    usage: 'check [config]',
    meaning: 'Read gateway.yaml and the policies that it names, and tell every mistake.',
  },
} as const

/** Reads the arguments that follow the program's name. */
export function parseCommandLine(args: readonly string[]): Command {
  let parsed
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } },
    })
  } catch (error) {
    return { name: 'mistaken', mistake: firstSentence((error as Error).message) }
  }
  const { values, positionals } = parsed
  if (values.help) return { name: 'help' }
  if (values.version) return { name: 'version' }

  const [name = 'serve', ...operands] = positionals
  if (!isCommand(name)) {
    return { name: 'mistaken', mistake: `There is no command '${name}'.${didYouMean(name, Object.keys(commands))}` }
  }
  if (operands.length > commands[name].operands) {
    return { name: 'mistaken', mistake: `Too many operands. Expected: fhir-policy-gateway ${commands[name].usage}` }
  }
  if (name === 'serve') return { name }
  return { name, ...(operands[0] !== undefined && { configPath: operands[0] }) }
}

const isCommand = (name: string): name is keyof typeof commands => Object.hasOwn(commands, name)

const firstSentence = (text: string) => `${text.split('. ', 1)[0]!.replace(/\.$/, '')}.`
