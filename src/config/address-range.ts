import { BlockList, isIP, SocketAddress } from 'node:net'

/** IP addresses that begin alike: `10.0.0.0/8`, `2001:db8::/32`; a single one has the longest prefix. */
export interface AddressRange {
  readonly address: string
  readonly family: 'ipv4' | 'ipv6'
  /** How many of the first bits count. */
  readonly prefix: number
}

/** What one must look like, for messages. */
export const addressRangeExpected =
  'an IP address or a range of them, such as `192.0.2.7`, `10.0.0.0/8` or `2001:db8::/32`, and not all there are'

/** The same in short, for editors. */
export const addressRangePattern = /^[0-9A-Fa-f.:]+(\/[1-9]\d{0,2})?$/

/** Reads a range in CIDR's notation (RFC 4632, RFC 4291); undefined for a text that is none, and for a range of everything. */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [address = '', length] = text.split('/', 2)
  const version = isIP(address)
  if (version === 0 || !addressRangePattern.test(text)) return undefined
  const bits = version === 4 ? 32 : 128
  const prefix = length === undefined ? bits : Number(length)
  return prefix > bits ? undefined : { address, family: version === 4 ? 'ipv4' : 'ipv6', prefix }
}

/** Tells of an address, as `readAddress` gives it, whether it lies within one of the ranges. */
export function withinRanges(ranges: readonly AddressRange[]): (address: string) => boolean {
  if (ranges.length === 0) return () => false
  const list = new BlockList()
  for (const { address, family, prefix } of ranges) list.addSubnet(address, prefix, family)
  return (address) => {
    const version = isIP(address)
    return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6')
  }
}

/**
 * An IP address in its one way to be written; undefined for what is none. An IPv4 address that is written as an IPv6 one, as
 * a listener for both has it, is the IPv4 address (RFC 4291, section 2.5.5.2). A zone is left out: it is the machine's own.
 */
export function readAddress(text: string): string | undefined {
  const address = text.includes('%') ? text.slice(0, text.indexOf('%')) : text
  const version = isIP(address)
  if (version !== 6) return version === 4 ? address : undefined
  const canonical = new SocketAddress({ address, family: 'ipv6' }).address
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(canonical)?.[1] ?? canonical
}
