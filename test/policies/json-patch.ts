/** The operations of RFC 6902 that cases need. */
export type Operation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move'; readonly path: string; readonly from: string }

type Container = Record<string, unknown> | unknown[]

/** Applies the operations to a copy. */
export function applyChange(before: unknown, operations: readonly Operation[]): unknown {
  const copy = structuredClone(before)
  for (const operation of operations) {
    if (operation.op === 'move') put(copy, operation.path, take(copy, operation.from), 'add')
    else if (operation.op === 'remove') take(copy, operation.path)
    else put(copy, operation.path, structuredClone(operation.value), operation.op)
  }
  return copy
}

function place(root: unknown, path: string): [Container, string] {
  const names = path.split('/').slice(1)
  const last = names.pop()!
  let target = root as Container
  for (const name of names) target = (target as Record<string, Container>)[name]!
  return [target, last]
}

function put(root: unknown, path: string, value: unknown, op: 'add' | 'replace'): void {
  const [target, name] = place(root, path)
  if (!Array.isArray(target)) target[name] = value
  else if (name === '-') target.push(value)
  else target.splice(Number(name), op === 'replace' ? 1 : 0, value)
}

function take(root: unknown, path: string): unknown {
  const [target, name] = place(root, path)
  if (Array.isArray(target)) return target.splice(Number(name), 1)[0]
  const value = target[name]
  delete target[name]
  return value
}
