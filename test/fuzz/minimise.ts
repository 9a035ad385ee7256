import type { Json, JsonObject } from './plain-json.ts'

interface Pair {
  readonly before: JsonObject
  readonly after: JsonObject
}

type Path = readonly (string | number)[]

/** The smallest pair found, by leaving out parts of both or of one, for which something still holds. */
export function smaller(pair: Pair, stillHolds: (pair: Pair) => boolean): Pair {
  let least = pair
  for (let shrunk = true; shrunk;) {
    shrunk = false
    for (const candidate of candidates(least)) {
      if (!stillHolds(candidate)) continue
      least = candidate
      shrunk = true
      break
    }
  }
  return least
}

function* candidates({ before, after }: Pair): Generator<Pair> {
  for (const path of pathsOf(before)) yield { before: leaveOut(before, path), after: leaveOut(after, path) }
  for (const path of pathsOf(after)) yield { before, after: leaveOut(after, path) }
  for (const path of pathsOf(before)) yield { before: leaveOut(before, path), after }
}

function* pathsOf(json: Json, path: Path = []): Generator<Path> {
  if (typeof json !== 'object' || json === null) return
  for (const name of Object.keys(json)) {
    const below = [...path, Array.isArray(json) ? Number(name) : name]
    if (below.length > 1 || (name !== 'resourceType' && name !== 'id')) yield below
    yield* pathsOf((json as JsonObject)[name]!, below)
  }
}

function leaveOut(json: JsonObject, path: Path): JsonObject {
  const copy = structuredClone(json)
  let parent: Json = copy
  for (const name of path.slice(0, -1)) {
    if (typeof parent !== 'object' || parent === null) return copy
    parent = (parent as JsonObject)[name] ?? null
  }
  const last = path.at(-1)!
  if (Array.isArray(parent)) parent.splice(Number(last), 1)
  else if (typeof parent === 'object' && parent !== null) delete parent[last]
  return copy
}
