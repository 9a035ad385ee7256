/** Times the stages of an update on bodies of several sizes, in the program as it is built. */
import { readFileSync } from 'node:fs'
import { readResource, writeResource } from '../../../dist/fhir/body.js'
import { withoutServerOwned } from '../../../dist/fhir/element.js'
import { compilePolicy } from '../../../dist/policy/compile.js'
import { judge } from '../../../dist/policy/judge.js'
import { answerQuestions } from './questions.mjs'

const bounds = { nesting: 64 }

answerQuestions({ time })

/** @returns {Promise<Record<string, number>>} median microseconds of CPU time of each stage */
async function time({ policyFile, type, before, after, format, milliseconds }) {
  const { policy } = compilePolicy(policyFile, readFileSync(policyFile, 'utf8'))
  const read = (text) => readResource(Buffer.from(text), format, policy.definitions, bounds).value
  const surroundings = { bases: [], maxRefusals: 50, request: { scopes: [], headerFields: {}, interaction: 'update' } }
  const judged = { before: withoutServerOwned(read(before)), after: withoutServerOwned(read(after)) }
  const bytes = Buffer.from(after)
  const decide = () => judge(policy, { interaction: 'update', type, ...judged }, surroundings)
  const { verdict } = decide()
  if (verdict !== 'permit') throw new Error('What is timed is not permitted.')
  return {
    parse: medianTime(() => readResource(bytes, format, policy.definitions, bounds), milliseconds),
    judge: medianTime(decide, milliseconds),
    write: medianTime(() => writeResource(judged.after, format), milliseconds),
  }
}

/** CPU time rather than time, so that what else the machine does counts for little. */
function medianTime(action, milliseconds) {
  const times = []
  const until = performance.now() + milliseconds
  // The first half warms up.
  while (performance.now() < until || times.length < 6) times.push(timeOfBatch(action))
  const settled = times.slice(times.length / 2).sort((a, b) => a - b)
  return settled[Math.floor(settled.length / 2)]
}

/** As many as take 5 ms: one may be too short to be told. */
function timeOfBatch(action) {
  const before = process.cpuUsage()
  let count = 0
  for (;;) {
    action()
    count++
    const { user, system } = process.cpuUsage(before)
    if (user + system > 5000) return (user + system) / count
  }
}
