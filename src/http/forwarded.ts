const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"

/** A colon and brackets belong into quotes; without them they can be taken for nothing else. */
const unquoted = "[!#$%&'*+.^_`|~0-9A-Za-z:[\\]-]+"

const pair = new RegExp(
  `[ \\t]*(${token})=(?:(${unquoted})|"((?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t \\x21-\\x7e\\x80-\\xff])*)")[ \\t]*(;|,|$)`,
  'y',
)
const nothing = /[ \t]*(,|$)/y

/**
 * Reads the header field Forwarded (RFC 7239, section 4): of each element the values of its parameters, by their names in
 * lower case. Undefined when it is malformed, also where a parameter occurs twice in an element: the next reader may
 * take the other one, or see the elements end elsewhere.
 */
export function readForwarded(text: string): readonly ReadonlyMap<string, string>[] | undefined {
  const elements: Map<string, string>[] = []
  let element = new Map<string, string>()
  let at = 0
  for (;;) {
    const isStart = element.size === 0
    nothing.lastIndex = at
    const empty = isStart ? nothing.exec(text) : null
    pair.lastIndex = at
    const match = empty ?? pair.exec(text)
    if (!match) return undefined
    const end = empty ? match[1] : match[4]
    if (!empty) {
      const name = match[1]!.toLowerCase()
      if (element.has(name)) return undefined
      element.set(name, match[2] ?? match[3]!.replaceAll(/\\(.)/g, '$1'))
    }
    at += match[0].length
    if (end === ';') continue
    if (element.size > 0) elements.push(element)
    element = new Map()
    if (end === '') return elements
  }
}
