import type { CompileContext } from './compile-context.ts'
import type { HeaderFieldRule } from './rule.ts'
import { answerTo, type Answer, type Cause } from './refusal.ts'

/** A longer value is refused where the policy says nothing else. */
const usualLength = 256

/**
 * Header fields that FHIR, HTTP or the gateway give a meaning: it is evaluated already, and an answer that repeated one would
 * say something else, or tell a secret.
 */
const closed =
  /^(?:accept(?:-.*)?|access-control-.*|age|allow|authorization|cache-control|connection|content-.*|cookie|date|etag|expect|expires|fhir-policy-report|forwarded|host|if-.*|keep-alive|last-modified|link|location|origin|pragma|prefer|proxy-.*|range|retry-after|server|set-cookie|te|trailer|transfer-encoding|upgrade|vary|via|warning|www-authenticate|x-http-method(?:-override)?|x-method-override)$/i

/** What a policy asks of the header fields of every request. */
export function compileHeaderFields(
  context: CompileContext,
  answers: ReadonlyMap<Cause, Answer>,
): readonly HeaderFieldRule[] {
  const seen = new Set<string>()
  return Object.entries(context.input['header-fields'] ?? {}).map(([name, input]): HeaderFieldRule => {
    const at = ['header-fields', name]
    const report = (message: string) => context.report(at, message, { at: 'key' })
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) report('Expected the name of a header field.')
    if (closed.test(name)) report(`\`${name}\` has a meaning of its own, and nothing else may be asked of it here.`)
    if (seen.has(name.toLowerCase())) report(`\`${name}\` stands here twice: names are the same in any letters.`)
    seen.add(name.toLowerCase())
    const { required = false, format, is, mirrored = false, otherwise, 'max-length': maxLength = usualLength } = input
    if (!required && !format && !is && !mirrored && input['max-length'] === undefined) {
      report('Nothing is asked of it: say `required`, `format`, `is`, `max-length` or `mirrored`.')
    }
    if (otherwise) context.checkAnswer(otherwise, [...at, 'otherwise'])
    const answer = (cause: Cause) => context.answer(otherwise!, answerTo({ cause }, answers, context.release))
    return {
      name,
      required,
      ...(format && { format }),
      ...(is && { values: [is].flat() }),
      maxLength,
      mirrored,
      mode: input.mode ?? context.input.mode ?? 'enforce',
      ...(otherwise && {
        answers: { missing: answer('header-field-missing'), malformed: answer('header-field-malformed') },
      }),
      ...(otherwise?.help !== undefined && { help: otherwise.help }),
    }
  })
}
