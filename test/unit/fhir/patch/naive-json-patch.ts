/** RFC 6902 on plain values, written plainly and apart from the product: it throws where a patch does not apply. */
export interface Operation {
  readonly op: string
  readonly path: string
  readonly from?: string
  readonly value?: unknown
}

type Holder = Record<string, unknown> | unknown[]

export function naivelyPatched(before: unknown, operations: readonly Operation[]): unknown {
  const document = { root: structuredClone(before) }
  for (const operation of operations) {
    const { op, path, from = '' } = operation
    const value = structuredClone(operation.value)
    if (op === 'test') {
      if (canonical(get(document, path)) !== canonical(value)) throw new Error('test')
      continue
    }
    if (op === 'remove') remove(document, path)
    if (op === 'add') add(document, path, value)
    if (op === 'copy') add(document, path, structuredClone(get(document, from)))
    if (op === 'replace') {
      get(document, path)
      if (path !== '' && !Array.isArray(holderOf(document, path)[0])) add(document, path, value)
      else if (path === '') document.root = value
      else {
        remove(document, path)
        add(document, path, value)
      }
    }
    if (op === 'move') {
      if (path.startsWith(`${from}/`)) throw new Error('into itself')
      const moved = get(document, from)
      remove(document, from)
      add(document, path, moved)
    }
  }
  return document.root
}

/** Equal texts for equal values, whatever the order of their names. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const names = Object.keys(value).sort()
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical((value as Record<string, unknown>)[name])}`).join()}}`
}

function holderOf(document: Holder, path: string): [Holder, string] {
  const names = `/root${path}`.slice(1).split('/')
  const last = names.pop()!
  let at: unknown = document
  for (const name of names) at = child(at, name)
  if (typeof at !== 'object' || at === null) throw new Error('no holder')
  return [at as Holder, last]
}

function child(holder: unknown, escaped: string): unknown {
  const name = escaped.replaceAll('~1', '/').replaceAll('~0', '~')
  if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, name)) throw new Error('missing')
  if (Array.isArray(holder) && String(Number(name)) !== name) throw new Error('no index')
  return (holder as Record<string, unknown>)[name]
}

function get(document: Holder, path: string): unknown {
  return child(...holderOf(document, path))
}

function add(document: Holder, path: string, value: unknown): void {
  const [holder, name] = holderOf(document, path)
  if (!Array.isArray(holder)) {
    const unescaped = name.replaceAll('~1', '/').replaceAll('~0', '~')
    // Not by assignment: that would set a prototype under the name __proto__.
    Object.defineProperty(holder, unescaped, { value, enumerable: true, configurable: true, writable: true })
    return
  }
  const index = name === '-' ? holder.length : Number(name)
  if (name !== '-' && (String(index) !== name || index < 0 || index > holder.length)) throw new Error('no index')
  holder.splice(index, 0, value)
}

function remove(document: Holder, path: string): void {
  if (path === '') throw new Error('whole')
  const [holder, name] = holderOf(document, path)
  child(holder, name)
  if (Array.isArray(holder)) holder.splice(Number(name), 1)
  else delete holder[name.replaceAll('~1', '/').replaceAll('~0', '~')]
}
