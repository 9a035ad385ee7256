import type { OutcomeIssue } from '../../fhir/operation-outcome.ts'
import type { Policy } from '../../policy/policy.ts'
import { answerTo, type Refusal } from '../../policy/refusal.ts'
import { issueOf } from '../outcome.ts'
import type { Reply } from '../reply.ts'
import { issueOfEntry, refusalOfEntry, restorationOfEntry } from './entry-refusals.ts'

/** Refuses a transaction as a whole. A 405 would speak of the POST on the base, which is offered. */
export function refuseWhole(policy: Policy, refusals: readonly Refusal[]): Extract<Reply, { kind: 'refused' }> {
  return {
    kind: 'refused',
    refusals: refusals.map((refusal) => {
      if (refusal.cause !== 'interaction-not-offered') return refusal
      return { ...refusal, answer: { ...answerTo(refusal, policy.answers, policy.release), status: 422 } }
    }),
  }
}

/** A reply to one entry, told as one to its Bundle. */
export function replyOfEntry(index: number, reply: Reply): Reply {
  const told = toldOfEntry(index, reply)
  return reply.reported ? { ...told, reported: reply.reported.map((refusal) => refusalOfEntry(index, refusal)) } : told
}

function toldOfEntry(index: number, reply: Reply): Reply {
  const ofEntry = (refusal: Refusal) => refusalOfEntry(index, refusal)
  switch (reply.kind) {
    case 'failed':
      return { ...reply, refusals: reply.refusals.map(ofEntry) }
    case 'told':
      return { ...reply, issues: reply.issues.map((issue) => issueOfEntry(index, issue)) }
    case 'refused': {
      const further = reply.further?.map((issue) => issueOfEntry(index, issue))
      return { ...reply, refusals: reply.refusals.map(ofEntry), ...(further && { further }) }
    }
    case 'relayed': {
      const { restoration } = reply
      return restoration ? { ...reply, restoration: restorationOfEntry(index, restoration) } : reply
    }
    default:
      return reply
  }
}

/**
 * The answer of a transaction of which entries have been answered before anything was sent (`undefined` for the others):
 * what failed, else what the upstream told, else what is refused.
 */
export function repliesAsOne(policy: Policy, answered: readonly (Reply | undefined)[]): Reply {
  const replies = answered.flatMap((reply, index) => (reply ? [replyOfEntry(index, reply)] : []))
  const reported = replies.flatMap((reply) => reply.reported ?? [])
  return { ...firstOf(policy, replies), ...(reported.length > 0 && { reported }) }
}

function firstOf(policy: Policy, replies: readonly Reply[]): Reply {
  const failed = replies.find((reply) => reply.kind === 'failed')
  if (failed) return failed
  const told = replies.find((reply) => reply.kind === 'told')
  if (told) {
    const issues = replies.flatMap((reply): readonly OutcomeIssue[] => {
      if (reply.kind === 'told') return reply.issues
      return reply.kind === 'refused' ? reply.refusals.map((refusal) => issueOf(refusal, policy)) : []
    })
    return { ...told, issues }
  }
  const refused = replies.filter((reply) => reply.kind === 'refused')
  const upstreamStatus = refused.find((reply) => reply.upstreamStatus !== undefined)?.upstreamStatus
  return {
    ...refuseWhole(
      policy,
      refused.flatMap(({ refusals }) => refusals),
    ),
    further: refused.flatMap(({ further = [] }) => further),
    ...(upstreamStatus !== undefined && { upstreamStatus }),
  }
}
