/** A profile as V8 writes it, as far as it is read here. Times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** Time in which something was at the top of the stack, in microseconds. */
export interface SelfTime {
  readonly name: string
  readonly microseconds: number
}

/** Self times by function and by where it stands, the longest first. Being idle counts for nothing. */
export function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): {
  readonly functions: readonly SelfTime[]
  readonly places: readonly SelfTime[]
} {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const functions = new Map<string, number>()
  const places = new Map<string, number>()
  samples.forEach((id, at) => {
    const { functionName, url, lineNumber } = frames.get(id)!
    if (functionName === '(idle)') return
    const place = placeOf(url, functionName)
    const line = url === '' ? '' : `:${lineNumber + 1}`
    const name = place === functionName ? place : `${functionName || '(anonymous)'} ${fileOf(url)}${line}`
    add(functions, name, timeDeltas[at] ?? 0)
    add(places, place, timeDeltas[at] ?? 0)
  })
  return { functions: sorted(functions), places: sorted(places) }
}

function add(times: Map<string, number>, name: string, microseconds: number): void {
  times.set(name, (times.get(name) ?? 0) + microseconds)
}

const sorted = (times: ReadonlyMap<string, number>): SelfTime[] =>
  [...times].map(([name, microseconds]) => ({ name, microseconds })).sort((a, b) => b.microseconds - a.microseconds)

/** A source file of ours, a package, a module of Node's; what has no file (garbage collector, built-ins) by its name. */
function placeOf(url: string, functionName: string): string {
  const inPackage = packageOf(url)
  if (inPackage !== undefined) return inPackage
  if (url === '') return functionName.startsWith('(') ? functionName : 'built into V8 and Node'
  return fileOf(url)
}

const packageOf = (url: string) => /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]

function fileOf(url: string): string {
  const ours = /\/dist\/(.+)\.js$/.exec(url)?.[1]
  const inPackage = packageOf(url)
  if (inPackage !== undefined) return `${inPackage}${url.split(`/node_modules/${inPackage}`).at(-1)!}`
  return ours === undefined ? url : `src/${ours}.ts`
}
