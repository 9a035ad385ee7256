import { trimmedField } from '../fhir/field-value.ts'
import { readAddress } from '../config/address-range.ts'
import type { Refusal } from '../policy/refusal.ts'
import { readForwarded } from './forwarded.ts'
import { hostPattern, type RequestHead } from './request-head.ts'

/** The proxies in front that may say who asks for what, and how they say it. */
export interface Proxies {
  /** Of an IP address: whether it is one of theirs. */
  trusts(address: string): boolean
  readonly toldIn: 'x-forwarded' | 'forwarded'
}

/** From where a request came, as far as somebody tells it who may be believed. */
export interface Arrival {
  /**
   * The client's IP address: the first one, from the right, that is not a trusted proxy's. Where a proxy hides it, that
   * proxy's own; empty when the connection is gone.
   */
  readonly address: string
  /** Scheme and authority under which the client reaches us. */
  readonly origin: string
  /** What a trusted proxy says and cannot be read. */
  readonly refusals: readonly Refusal[]
}

/** One proxy's word of what it took in. */
interface Hop {
  /** An IP address; undefined: hidden. */
  readonly address: string | undefined
  readonly scheme: 'http' | 'https' | undefined
  readonly host: string | undefined
}

/** The client's IP address, as `Arrival` has it. */
export const clientAddress = (head: RequestHead, proxies: Proxies): string => arrivalOf(head, proxies).address

/**
 * Believes the header fields of a trusted proxy, and those of the one before it where that is trusted, too. Who else sends
 * them is not heard.
 */
export function arrivalOf(head: RequestHead, proxies: Proxies): Arrival {
  const peer = readAddress(head.peer()) ?? ''
  const arrival = (address: string, { scheme, host }: Partial<Hop> = {}): Arrival => ({
    address,
    origin: `${scheme ?? (head.secure ? 'https' : 'http')}://${host ?? head.headerFields.host}`,
    refusals: [],
  })
  if (!proxies.trusts(peer)) return arrival(peer)

  const read = proxies.toldIn === 'forwarded' ? forwardedHops(head) : xForwardedHops(head, proxies)
  if ('malformed' in read) {
    const diagnostics = `The proxy in front of the gateway sent a malformed header field ${read.malformed}.`
    return { ...arrival(peer), refusals: [{ cause: 'request-malformed', diagnostics }] }
  }
  let address = peer
  let told: Hop | undefined
  for (const hop of read) {
    told = hop
    address = hop.address ?? address
    if (hop.address === undefined || !proxies.trusts(hop.address)) break
  }
  return arrival(address, told)
}

/** What the proxies say, the nearest first. */
type Hops = readonly Hop[] | { readonly malformed: string }

/** RFC 7239, section 4 */
function forwardedHops(head: RequestHead): Hops {
  const elements = readForwarded(head.fieldLines('forwarded').join(','))
  const hops = elements?.map((element): Hop | undefined => {
    const [node, scheme, host] = [element.get('for'), element.get('proto'), element.get('host')]
    const address = node === undefined ? 'hidden' : readNode(node)
    if (address === undefined || !isScheme(scheme) || !isHost(host)) return undefined
    return { address: address === 'hidden' ? undefined : address, scheme: schemeOf(scheme), host }
  })
  return hops?.every((hop) => hop !== undefined) ? hops.toReversed() : { malformed: 'forwarded' }
}

/**
 * Each of the three is a list of its own, to which a proxy adds, or which it writes anew: the client's entry is the one that as
 * many proxies have followed as are trusted, or the first.
 */
function xForwardedHops(head: RequestHead, proxies: Proxies): Hops {
  const listOf = (name: string) =>
    head
      .fieldLines(name)
      .flatMap((line) => line.split(','))
      .map(trimmedField)
      .filter((entry) => entry !== '')
      .toReversed()
  const addresses: (string | undefined)[] = []
  for (const node of listOf('x-forwarded-for')) {
    const address = readNode(node)
    if (address === undefined) return { malformed: 'x-forwarded-for' }
    addresses.push(address === 'hidden' ? undefined : address)
    // What stands further left was there before, and may be the client's own.
    if (address === 'hidden' || !proxies.trusts(address)) break
  }
  const at = Math.max(addresses.length - 1, 0)
  const entryOf = (list: readonly string[]) => list[Math.min(at, list.length - 1)]
  const scheme = entryOf(listOf('x-forwarded-proto'))
  const host = entryOf(listOf('x-forwarded-host'))
  if (!isScheme(scheme)) return { malformed: 'x-forwarded-proto' }
  if (!isHost(host)) return { malformed: 'x-forwarded-host' }
  const told = { scheme: schemeOf(scheme), host }
  return addresses.length === 0 ? [{ address: undefined, ...told }] : addresses.map((address) => ({ address, ...told }))
}

/**
 * A node (RFC 7239, section 6), also without the brackets that it asks for: an IP address, or `hidden` for `unknown` and
 * for a name that a proxy made up; undefined when it is none.
 */
function readNode(text: string): string | undefined {
  if (/^(?:unknown|_[A-Za-z0-9._-]+)(?::[A-Za-z0-9._-]+)?$/i.test(text)) return 'hidden'
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([\d.]+))(?::(?:\d{1,5}|_[A-Za-z0-9._-]+))?$/.exec(text) ?? []
  return readAddress(bracketed ?? plain ?? text)
}

const isScheme = (text: string | undefined) => text === undefined || /^https?$/i.test(text)
const schemeOf = (text: string | undefined) => text?.toLowerCase() as Hop['scheme']
const isHost = (text: string | undefined) => text === undefined || hostPattern.test(text)
