/** One node of a FHIRPath expression, as the parser of the fhirpath package gives it. */
export interface Node {
  /** A name of the grammar: `TermExpression`, `FunctionInvocation` … https://hl7.org/fhirpath/grammar.html */
  readonly type: string
  readonly text?: string
  /** Of a variable that is written between backticks or quotation marks: what stands between them. */
  readonly delimitedText?: string
  /** Where its own symbol stands, both counted from 1. Not every node has one. */
  readonly start?: { readonly line: number; readonly column: number }
  readonly length?: number
  readonly children?: readonly Node[]
}

const none: readonly Node[] = []

export const childrenOf = (node: Node): readonly Node[] => node.children ?? none

/** A function's name and the nodes of its parameters. */
export function callOf(invocation: Node): { readonly name: string; readonly parameters: readonly Node[] } {
  const [, list] = childrenOf(childrenOf(invocation)[0]!)
  return { name: invocation.text ?? '', parameters: list ? childrenOf(list) : none }
}

/** The literal that a node is and nothing else; undefined for everything that must be evaluated. */
export function literalOf(node: Node): Node | undefined {
  let at: Node | undefined = node
  while (at && (at.type === 'TermExpression' || at.type === 'ParenthesizedTerm')) at = childrenOf(at)[0]
  return at?.type === 'LiteralTerm' ? at : undefined
}

/** Where a node begins: its first symbol, in the order of the text. */
export function beginningOf(node: Node): Node {
  const before = (a: Node, b: Node) =>
    a.start!.line < b.start!.line || (a.start!.line === b.start!.line && a.start!.column < b.start!.column)
  let first: Node = node
  for (const child of childrenOf(node)) {
    const begins = beginningOf(child)
    if (begins.start && (!first.start || before(begins, first))) first = begins
  }
  return first
}

/** How many nodes stand inside each other. */
export function depthOf(node: Node): number {
  let deepest = 0
  for (const child of childrenOf(node)) deepest = Math.max(deepest, depthOf(child))
  return deepest + 1
}
