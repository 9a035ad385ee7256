import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { shown } from '../config/load.ts'

const schema = z.strictObject({
  commands: z.array(
    z.strictObject({
      say: z.string(),
      /** `[type]/[id]` */
      update: z.string(),
      'if-match': z.string().optional(),
      /** A file beside this one. */
      body: z.string(),
    }),
  ),
})

/**
 * What to try against the sandbox, as commands for a POSIX shell. Empty when the file is not there.
 * @param file the list of commands
 * @param baseUrl our FHIR base, as it can be reached from this machine
 */
export function sandboxHints(file: string, baseUrl: string): string {
  if (!existsSync(file)) return ''
  const { commands } = schema.parse(parse(readFileSync(file, 'utf8')))
  const hints = commands.map(({ say, update, body, 'if-match': ifMatch }) => {
    const fields = ['Content-Type: application/fhir+json', ...(ifMatch === undefined ? [] : [`If-Match: ${ifMatch}`])]
    const words = [
      'curl -i -X PUT',
      quoted(`${baseUrl}/${update}`),
      ...fields.map((field) => `-H ${quoted(field)}`),
      `--data ${quoted(`@${shown(join(dirname(file), body))}`)}`,
    ]
    return `# ${say}\n${words.join(' ')}\n`
  })
  return hints.join('\n')
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}
