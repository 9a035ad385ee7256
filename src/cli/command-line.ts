import { parseArgs } from 'node:util'
import { didYouMean } from '../policy/did-you-mean.ts'

/** One option of a command, as `--help` shows it. */
export interface OptionForm {
  readonly type: 'string' | 'boolean'
  /** What a text stands for: `FILE`. */
  readonly value?: string
  readonly meaning: string
}

/** What one command takes. */
export interface CommandForm {
  readonly usage: string
  readonly meaning: string
  /** The most operands. */
  readonly operands: number
  readonly options: Readonly<Record<string, OptionForm>>
}

/** The commands, in the order in which `--help` shows them. */
export const commands = {
  serve: {
    usage: 'serve',
    meaning: 'Serve the gateway. This is what happens without a command.',
    operands: 0,
    options: {},
  },
  check: {
    usage: 'check [config]',
    meaning: 'Read gateway.yaml and the policies that it names, and tell every mistake.',
    operands: 1,
    options: {},
  },
} as const satisfies Readonly<Record<string, CommandForm>>

export type CommandName = keyof typeof commands

/** The value of an option that was given: a text, or true. */
export type OptionValues = Readonly<Record<string, string | boolean | undefined>>

/** What the command line asks for. */
export type Command =
  | { readonly name: 'help'; readonly of?: CommandName }
  | { readonly name: 'version' }
  | { readonly name: CommandName; readonly operands: readonly string[]; readonly options: OptionValues }
  | { readonly name: 'mistaken'; readonly mistake: string }

const everywhere = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const

/** Reads the arguments that follow the program's name. */
export function parseCommandLine(args: readonly string[]): Command {
  const [first = ''] = args
  const isNamed = first !== '' && !first.startsWith('-')
  const name = isNamed ? first : 'serve'
  if (!isCommand(name)) {
    return mistaken(`There is no command '${name}'.${didYouMean(name, Object.keys(commands))}`)
  }
  const form: CommandForm = commands[name]
  let parsed
  try {
    parsed = parseArgs({
      args: args.slice(isNamed ? 1 : 0),
      allowPositionals: true,
      options: { ...everywhere, ...form.options },
    })
  } catch (error) {
    return mistaken(firstSentence((error as Error).message))
  }
  const { help, version, ...options } = parsed.values as Record<string, string | boolean | undefined>
  if (help) return isNamed ? { name: 'help', of: name } : { name: 'help' }
  if (version) return { name: 'version' }
  const operands = parsed.positionals
  if (operands.length > form.operands) {
    return mistaken(`Too many operands. Expected: fhir-policy-gateway ${form.usage}`)
  }
  return { name, operands, options }
}

const mistaken = (mistake: string): Command => ({ name: 'mistaken', mistake })

const isCommand = (name: string): name is CommandName => Object.hasOwn(commands, name)

const firstSentence = (text: string) => `${text.split('. ', 1)[0]!.replace(/\.$/, '')}.`
