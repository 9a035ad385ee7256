/**
 * The value of a header field without the white space around it, which is spaces and tabs (RFC 9110, section 5.6.3): a
 * no-break space, which `trim()` takes off as well, is content to every other reader.
 */
export function trimmedField(line: string): string {
  let start = 0
  let end = line.length
  while (start < end && isWhiteSpace(line[start]!)) start++
  while (end > start && isWhiteSpace(line[end - 1]!)) end--
  return line.slice(start, end)
}

const isWhiteSpace = (character: string) => character === ' ' || character === '\t'
