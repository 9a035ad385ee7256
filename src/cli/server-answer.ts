import type { UpstreamReply } from '../upstream/client.ts'

/** One sentence for an answer of a FHIR server that is of no use. It repeats nothing of the answer, nor of what was asked. */
export function sentenceOfReply(reply: UpstreamReply): string {
  switch (reply.kind) {
    case 'unreachable':
    case 'unavailable':
      return 'The FHIR server cannot be reached.'
    case 'too-slow':
      return 'The FHIR server does not answer in time.'
    case 'too-large':
      return 'The FHIR server’s answer is larger than the bound.'
    case 'answered':
      return sentenceOfStatus(reply.status)
  }
}

function sentenceOfStatus(status: number): string {
  const answered = `The FHIR server answered ${status}`
  if (status === 401) return `${answered}: it wants credentials, or others (--header, --header-file).`
  if (status === 403) return `${answered}: these credentials may not read that.`
  if (status === 404) return `${answered}: there is no such resource, or no such interaction.`
  if (status === 405) return `${answered}: it does not offer this. Is it a gateway? Then name the server itself.`
  if (status === 410) return `${answered}: it is gone.`
  if (status >= 300 && status < 400) return `${answered}: no redirect is followed; name the address to which it leads.`
  return `${answered}.`
}
