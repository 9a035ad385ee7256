import { parseArgs } from 'node:util'
import { didYouMean } from '../policy/did-you-mean.ts'

/** One option of a command, as `--help` shows it. */
export interface OptionForm {
  readonly type: 'string' | 'boolean'
  /** What a text stands for: `FILE`. */
  readonly value?: string
  /** It may be given several times. */
  readonly multiple?: true
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

/** What goes to a FHIR server with each request; a value is never printed. */
const credentials = {
  header: {
    type: 'string',
    value: "'NAME: VALUE'",
    multiple: true,
    meaning: 'A header field for the FHIR server, such as Authorization. May be repeated.',
  },
  'header-file': { type: 'string', value: 'FILE', meaning: 'A file with such header fields, one a line.' },
} as const satisfies Readonly<Record<string, OptionForm>>

const base = {
  base: {
    type: 'string',
    value: 'URL',
    multiple: true,
    meaning: 'A FHIR base under which references name resources of this server. May be repeated.',
  },
} as const satisfies Readonly<Record<string, OptionForm>>

/** The commands, in the order in which `--help` shows them. */
export const commands = {
  serve: {
    usage: 'serve',
    meaning: 'Serve the gateway. This is what happens without a command.',
    operands: 0,
    options: {},
  },
  check: {
    usage: 'check [config or policy]',
    meaning:
      'Read a gateway.yaml and the policies that it names, or one policy. Tell every mistake; without one, tell the policies in words.',
    operands: 1,
    options: {
      markdown: { type: 'boolean', meaning: 'Print the policies as Markdown, and nothing else.' },
    },
  },
  test: {
    usage: 'test [policy, case file or config]…',
    meaning: 'Run the cases of policies, and tell which rules no case tries.',
    operands: Infinity,
    options: {
      only: { type: 'string', value: 'TEXT', meaning: 'Only the cases whose name holds this text.' },
      'require-coverage': {
        type: 'boolean',
        meaning: 'Fail when a rule has no case that it permits, or none that it refuses.',
      },
      watch: { type: 'boolean', meaning: 'Run again when a policy, a case file or a file that one names changes.' },
      junit: { type: 'string', value: 'FILE', meaning: 'Write the results to a file, as JUnit’s XML.' },
      tap: { type: 'boolean', meaning: 'Print the results in the Test Anything Protocol, version 14.' },
    },
  },
  explain: {
    usage: 'explain --after X [--before X]',
    meaning: 'Tell why a policy permits or refuses one write: each rule, what it looked at, and the answer.',
    operands: 0,
    options: {
      policy: { type: 'string', value: 'FILE', meaning: 'The policy. Unset: the one of the config, when it has one.' },
      before: {
        type: 'string',
        value: 'X',
        meaning:
          'The stored resource: a file (JSON or XML), - for standard input, or the URL of a version. Unset: a create.',
      },
      after: { type: 'string', value: 'X', meaning: 'The resource that is sent, likewise. Unset: a delete.' },
      interaction: {
        type: 'string',
        value: 'CODE',
        meaning: 'create, update, patch or delete. Unset: as before and after have it.',
      },
      operation: {
        type: 'string',
        value: 'NAME',
        meaning: 'Judge after as the Parameters of an operation: $name, [type]/$name or [type]/[id]/$name.',
      },
      ...base,
      ...credentials,
      json: { type: 'boolean', meaning: 'Print JSON.' },
    },
  },
  backtest: {
    usage: 'backtest --upstream URL | --ndjson FILE…',
    meaning: 'Tell what a policy would have refused of what was written to a FHIR server until now.',
    operands: 0,
    options: {
      policy: { type: 'string', value: 'FILE', meaning: 'The policy. Unset: the one of the config, when it has one.' },
      upstream: { type: 'string', value: 'URL', meaning: 'The FHIR base of the server whose histories are read.' },
      type: {
        type: 'string',
        value: 'TYPE',
        multiple: true,
        meaning: 'Only this resource type. May be repeated. Unset, and --id, too: everything.',
      },
      id: { type: 'string', value: 'TYPE/ID', multiple: true, meaning: 'Only this resource. May be repeated.' },
      ndjson: {
        type: 'string',
        value: 'FILE',
        multiple: true,
        meaning: 'Instead of a server: a file with a version of a resource on each line, also gzip. May be repeated.',
      },
      state: {
        type: 'string',
        value: 'FILE',
        meaning: 'Keeps where it stands, so that it goes on from there the next time.',
      },
      examples: { type: 'string', value: 'NUMBER', meaning: 'The most examples of each cause. Unset: 3.' },
      'show-content': { type: 'boolean', meaning: 'Print what differed in the examples: content of records.' },
      'page-size': {
        type: 'string',
        value: 'NUMBER',
        meaning: 'How many versions a page of the history has. Unset: 100.',
      },
      versions: {
        type: 'string',
        value: 'KIND',
        meaning: 'opaque: version ids do not count up by one, so that no gap shows. Unset: counted.',
      },
      'server-owned': {
        type: 'string',
        value: 'PATH',
        multiple: true,
        meaning: 'An element that the server writes itself and is not compared, such as meta.source. May be repeated.',
      },
      ...base,
      ...credentials,
      json: { type: 'boolean', meaning: 'Print JSON.' },
    },
  },
} as const satisfies Readonly<Record<string, CommandForm>>

export type CommandName = keyof typeof commands

/** The value of an option that was given: a text, or true; all texts of one that may be given several times. */
export type OptionValues = Readonly<Record<string, string | boolean | readonly string[] | undefined>>

/** The text of an option; undefined when it was not given. */
export function textOption(options: OptionValues, name: string): string | undefined {
  const value = options[name]
  return typeof value === 'string' ? value : undefined
}

/** All texts of an option that may be given several times. */
export function textOptions(options: OptionValues, name: string): readonly string[] {
  const value = options[name]
  return Array.isArray(value) ? (value as readonly string[]) : []
}

/** What the command line asks for. */
export type Command =
  | { readonly name: 'help'; readonly of?: CommandName | undefined }
  | { readonly name: 'version' }
  | { readonly name: CommandName; readonly operands: readonly string[]; readonly options: OptionValues }
  | { readonly name: 'mistaken'; readonly mistake: string; readonly of?: CommandName | undefined }

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
  const of = isNamed ? name : undefined
  let parsed
  try {
    parsed = parseArgs({
      args: args.slice(isNamed ? 1 : 0),
      allowPositionals: true,
      options: { ...everywhere, ...form.options },
    })
  } catch (error) {
    return mistaken(sentenceOf(error as Error, Object.keys(form.options)), of)
  }
  const { help, version, ...options } = parsed.values as OptionValues
  if (help) return { name: 'help', of }
  if (version) return { name: 'version' }
  const operands = parsed.positionals
  if (operands.length > form.operands) {
    return mistaken(`Too many operands. Expected: fhir-policy-gateway ${form.usage}`, of)
  }
  return { name, operands, options }
}

const mistaken = (mistake: string, of?: CommandName): Command => ({ name: 'mistaken', mistake, of })

const isCommand = (name: string): name is CommandName => Object.hasOwn(commands, name)

/** The first sentence of what Node says of the arguments; what follows it is for who knows of `--`. */
function sentenceOf({ message }: Error, options: readonly string[]): string {
  const sentence = `${message.split('. ', 1)[0]!.replace(/\.$/, '')}.`
  const [, unknown] = /^Unknown option '--(.+)'\.$/.exec(sentence) ?? []
  if (unknown === undefined) return sentence
  const known = options.map((name) => `--${name}`)
  return sentence + didYouMean(`--${unknown}`, known)
}
