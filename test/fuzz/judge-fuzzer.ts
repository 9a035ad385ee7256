import { readFileSync } from 'node:fs'
import { withoutServerOwned } from '../../src/fhir/element.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import type { Decision } from '../../src/policy/decision.ts'
import { judge } from '../../src/policy/judge.ts'
import type { Policy } from '../../src/policy/policy.ts'
import { plainRequest } from '../../src/policy/request-facts.ts'
import { changed } from './changes.ts'
import { smaller } from './minimise.ts'
import { mayPass } from './oracle.ts'
import type { JsonObject } from './plain-json.ts'
import { Random, randomOfRun } from './random.ts'
import { storedResource } from './resources.ts'
import { read, routes, sent, type Format, type Route } from './routes.ts'

export interface Tally {
  permitted: number
  refused: number
  /** What a parser refused, or a route could not carry: it never reached the judge. */
  unread: number
}

/** A pair on which the judge and the oracle differ, or that made one of them throw. */
export interface Disagreement {
  readonly seed: number
  readonly run: number
  readonly route: string
  readonly format: Format
  readonly what: string
  readonly decision: Decision | undefined
  readonly before: JsonObject
  readonly after: JsonObject
}

const policyFile = 'config/policies/nhs-reasonable-adjustments-stu3.yaml'

/** The shipped policy, whose rules the oracle knows. */
export const policyText = readFileSync(policyFile, 'utf8')

function policyOf(text: string): Policy {
  const compiled = compilePolicy(policyFile, text)
  if (!compiled.ok) throw new Error(`The policy does not compile: ${JSON.stringify(compiled.diagnostics)}`)
  return compiled.policy
}

interface Pair {
  readonly before: JsonObject
  readonly after: JsonObject
}

/** Judges pairs of resources made of a seed, each run from its own part of it, and gives the first disagreement. */
export function fuzzJudge(
  seed: number,
  from: number,
  until: number,
  text = policyText,
): { readonly tally: Tally; readonly disagreement?: Disagreement } {
  const policy = policyOf(text)
  const tally: Tally = { permitted: 0, refused: 0, unread: 0 }
  for (let run = from; run < until; run++) {
    const random = randomOfRun(seed, run)
    const before = storedResource(random)
    const after = changed(random, before)
    const route = random.pick(routes)
    const format = random.pick(route.formats)
    const routeSeed = random.int(2 ** 31)
    const tryOut = (pair: Pair) => compare(policy, pair, route, format, routeSeed)
    const found = tryOut({ before, after })
    if (typeof found === 'string') {
      tally[found]++
      continue
    }
    const least = smaller({ before, after }, (pair) => typeof tryOut(pair) !== 'string')
    const { what, decision } = tryOut(least) as Exclude<ReturnType<typeof tryOut>, string>
    return { tally, disagreement: { seed, run, route: route.name, format, what, decision, ...least } }
  }
  return { tally }
}

type Compared = keyof Tally | { readonly what: string; readonly decision: Decision | undefined }

function compare(policy: Policy, { before, after }: Pair, route: Route, format: Format, seed: number): Compared {
  let decision: Decision | undefined
  try {
    const way = { format, definitions: policy.definitions, random: new Random(seed) }
    const stored = read(before, way)
    if (!stored) return 'unread'
    const resource = route.after(stored, before, after, way)
    if (!resource) return 'unread'
    const { type } = stored
    const write = { interaction: 'update', type, before: withoutServerOwned(stored), after: resource } as const
    decision = judge(policy, write, { bases: [], maxRefusals: 20, request: plainRequest('update') })
    if (decision.verdict === 'deny') {
      if (decision.refusals.length === 0) return { what: 'refused without a reason', decision }
      return mayPass(before, after) ? { what: 'refused, and the rules permit it', decision } : 'refused'
    }
    if (!mayPass(before, after)) return { what: 'permitted, and the rules forbid it', decision }
    // What matters in the end is what reaches the server.
    if (!mayPass(before, sent(resource, way))) return { what: 'what is sent upstream is not what was judged', decision }
    return 'permitted'
  } catch (error) {
    return { what: `threw: ${String(error)}`, decision }
  }
}
