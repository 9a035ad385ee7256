import { describe, expect, test } from 'vitest'
import { parseAddressRange, withinRanges } from '../../../src/config/address-range.ts'
import { arrivalOf, clientAddress, type Proxies } from '../../../src/http/arrival.ts'
import type { RequestHead } from '../../../src/http/request-head.ts'

const proxies = (toldIn: Proxies['toldIn'], ...ranges: readonly string[]): Proxies => ({
  trusts: withinRanges(ranges.map((range) => parseAddressRange(range)!)),
  toldIn,
})

/** Fields are lines such as `x-forwarded-for: 192.0.2.1`. */
function headFrom(peer: string, fields: readonly string[], secure = false): RequestHead {
  const lines = fields.map((line) => line.split(/:\s?(.*)/s, 2) as [string, string])
  return {
    method: 'GET',
    target: '/',
    headerFields: { host: 'gateway:8080' },
    fieldLines: (name) => lines.filter(([key]) => key === name).map(([, value]) => value),
    secure,
    peer: () => peer,
  }
}

const told = (peer: string, by: Proxies, ...fields: readonly string[]) => {
  const { address, origin, refusals } = arrivalOf(headFrom(peer, fields), by)
  return refusals.length > 0 ? refusals[0]!.diagnostics : `${address} ${origin}`
}

describe('who nobody trusts', () => {
  test.each([
    ['another peer', proxies('x-forwarded', '10.0.0.0/8'), '192.0.2.1'],
    ['no peer at all', proxies('x-forwarded'), '10.0.0.1'],
    ['a peer just beside the range', proxies('x-forwarded', '10.0.0.0/31'), '10.0.0.2'],
    ['a connection that is gone', proxies('x-forwarded', '10.0.0.0/8'), ''],
  ])('is not heard, whatever it says: %s', (_what, by, peer) => {
    const fields = [
      'x-forwarded-for: 1.1.1.1',
      'x-forwarded-proto: https',
      'x-forwarded-host: evil',
      'forwarded: \u0000',
    ]
    expect(told(peer, by, ...fields)).toBe(`${peer} http://gateway:8080`)
  })

  test('has the scheme of its connection', () => {
    const head = headFrom('192.0.2.1', [], true)
    expect(arrivalOf(head, proxies('x-forwarded')).origin).toBe('https://gateway:8080')
  })

  test.each([
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
  ])('has one address, however it is written: %s', (peer, address) => {
    expect(clientAddress(headFrom(peer, []), proxies('x-forwarded'))).toBe(address)
  })
})

describe('X-Forwarded-For, -Proto and -Host of a trusted proxy', () => {
  const by = proxies('x-forwarded', '10.0.0.0/8', '2001:db8:1::/48')
  const from = (...fields: readonly string[]) => told('10.0.0.1', by, ...fields)

  test.each([
    ['nothing', [], '10.0.0.1 http://gateway:8080'],
    ['an address', ['x-forwarded-for: 192.0.2.1'], '192.0.2.1 http://gateway:8080'],
    ['an address with a port', ['x-forwarded-for: 192.0.2.1:4711'], '192.0.2.1 http://gateway:8080'],
    ['an IPv6 address', ['x-forwarded-for: 2001:db8::1'], '2001:db8::1 http://gateway:8080'],
    ['an IPv6 address in brackets', ['x-forwarded-for: [2001:db8::1]:80'], '2001:db8::1 http://gateway:8080'],
    ['unknown', ['x-forwarded-for: 1.1.1.1, unknown'], '10.0.0.1 http://gateway:8080'],
    ['what the client had written before', ['x-forwarded-for: 1.1.1.1, 192.0.2.1'], '192.0.2.1 http://gateway:8080'],
    ['junk that the client had written before', ['x-forwarded-for: <, 192.0.2.1'], '192.0.2.1 http://gateway:8080'],
    [
      'a line that the client had written before',
      ['x-forwarded-for: 1.1.1.1', 'x-forwarded-for: 192.0.2.1'],
      '192.0.2.1 http://gateway:8080',
    ],
    [
      'another trusted proxy before it',
      ['x-forwarded-for: 1.1.1.1, 192.0.2.1, 10.9.9.9, 2001:db8:1::2'],
      '192.0.2.1 http://gateway:8080',
    ],
    ['trusted proxies alone', ['x-forwarded-for: 10.0.0.3, 10.0.0.2'], '10.0.0.3 http://gateway:8080'],
    ['empty entries', ['x-forwarded-for: , 192.0.2.1 ,,'], '192.0.2.1 http://gateway:8080'],
    [
      'scheme and host',
      ['x-forwarded-for: 192.0.2.1', 'x-forwarded-proto: HTTPS', 'x-forwarded-host: fhir.example:8443'],
      '192.0.2.1 https://fhir.example:8443',
    ],
    ['a scheme alone', ['x-forwarded-proto: https'], '10.0.0.1 https://gateway:8080'],
    [
      'a scheme and a host that were added to the client’s own',
      ['x-forwarded-for: 1.1.1.1, 192.0.2.1', 'x-forwarded-proto: http, https', 'x-forwarded-host: evil, fhir.example'],
      '192.0.2.1 https://fhir.example',
    ],
    [
      'a scheme that each of two proxies added',
      ['x-forwarded-for: 192.0.2.1, 10.0.0.2', 'x-forwarded-proto: https, http'],
      '192.0.2.1 https://gateway:8080',
    ],
    [
      'a scheme that the first of two proxies wrote',
      ['x-forwarded-for: 192.0.2.1, 10.0.0.2', 'x-forwarded-proto: https'],
      '192.0.2.1 https://gateway:8080',
    ],
    ['the other header field', ['forwarded: for=192.0.2.1;proto=https'], '10.0.0.1 http://gateway:8080'],
  ])('%s', (_what, fields, expected) => {
    expect(from(...fields)).toBe(expected)
  })

  test.each([
    ['x-forwarded-for: x'],
    ['x-forwarded-for: 192.0.2.1, 192.0.2.300'],
    ['x-forwarded-for: 192.0.2.1 10.0.0.2'],
    ['x-forwarded-for: [192.0.2.1'],
    ['x-forwarded-for: 01.2.3.4'],
    ['x-forwarded-for: 192.0.2.1/32'],
    ['x-forwarded-for: 192.0.2.1:x'],
    ['x-forwarded-for: http://192.0.2.1'],
    ['x-forwarded-for: \u00a0192.0.2.1'],
    ['x-forwarded-proto: httpss'],
    ['x-forwarded-proto: https://'],
    ['x-forwarded-proto: javascript'],
    ['x-forwarded-host: a b'],
    ['x-forwarded-host: a/b'],
    ['x-forwarded-host: user@a'],
    ['x-forwarded-host: a:123456'],
    ['x-forwarded-host: "a"'],
  ])('is refused when it is malformed: %j', (line) => {
    const name = line.slice(0, line.indexOf(':'))
    expect(from(line)).toBe(`The proxy in front of the gateway sent a malformed header field ${name}.`)
  })

  test('is refused only there: the address is that of the last hop that could be read', () => {
    expect(clientAddress(headFrom('10.0.0.1', ['x-forwarded-for: x']), by)).toBe('10.0.0.1')
  })
})

describe('Forwarded of a trusted proxy', () => {
  const by = proxies('forwarded', '10.0.0.0/8')
  const from = (...lines: readonly string[]) => told('10.0.0.1', by, ...lines.map((line) => `forwarded: ${line}`))

  test.each([
    ['', '10.0.0.1 http://gateway:8080'],
    ['for=192.0.2.1', '192.0.2.1 http://gateway:8080'],
    ['For="[2001:db8::1]:4711"', '2001:db8::1 http://gateway:8080'],
    ['for="192.0.2.1:80";proto=https;host="fhir.example:8443"', '192.0.2.1 https://fhir.example:8443'],
    ['for=192.0.2.1; proto=https ; host=fhir.example:8443', '192.0.2.1 https://fhir.example:8443'],
    ['for=192.0.2.1;by=10.0.0.1;x="a;b,c\\""', '192.0.2.1 http://gateway:8080'],
    ['for=unknown;proto=https', '10.0.0.1 https://gateway:8080'],
    ['for=_hidden', '10.0.0.1 http://gateway:8080'],
    ['proto=https;host=fhir.example', '10.0.0.1 https://fhir.example'],
    ['for=1.1.1.1;host=evil, for=192.0.2.1;host=fhir.example', '192.0.2.1 http://fhir.example'],
    ['for=192.0.2.1;proto=https, for=10.0.0.2;proto=http', '192.0.2.1 https://gateway:8080'],
    ['for=1.1.1.1;host=evil, for=_hidden, for=10.0.0.2', '10.0.0.2 http://gateway:8080'],
    [', for=192.0.2.1 ,', '192.0.2.1 http://gateway:8080'],
  ])('%s', (line, expected) => {
    expect(from(line)).toBe(expected)
  })

  test('may stand on several lines', () => {
    expect(from('for=1.1.1.1;host=evil', 'for=192.0.2.1')).toBe('192.0.2.1 http://gateway:8080')
  })

  test('is the one that is heard', () => {
    expect(told('10.0.0.1', by, 'x-forwarded-for: 192.0.2.1', 'x-forwarded-host: evil')).toBe(
      '10.0.0.1 http://gateway:8080',
    )
  })

  test.each([
    'for',
    'for=',
    'for=;proto=https',
    'for =192.0.2.1',
    'for= 192.0.2.1',
    'for=192.0.2.1;;proto=https',
    'for=192.0.2.1;',
    'for=192.0.2.1;for=192.0.2.2',
    'for=192.0.2.1 proto=https',
    'for=192.0.2.1/32',
    'for="192.0.2.1',
    'for="192.0.2.1"x',
    'for="a, for="[2001:db8::1]"',
    'for="a", host="b\\',
    'for=x',
    'proto=ftp',
    'host="a/b"',
    'host=""',
    'host="a\u0000"',
    '"for"=192.0.2.1',
    'for=x, for=192.0.2.1',
  ])('is refused when it is malformed: %j', (line) => {
    expect(from(line)).toBe('The proxy in front of the gateway sent a malformed header field forwarded.')
  })
})

describe('a range of addresses', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7', '192.0.2.8'],
    ['10.0.0.0/8', '10.255.0.1', '11.0.0.1'],
    ['10.1.2.3/8', '10.255.0.1', '11.0.0.1'],
    ['2001:db8::/32', '2001:db8:ffff::1', '2001:db9::1'],
    ['::1', '::1', '::2'],
    ['172.16.0.0/12', '172.31.255.255', '172.32.0.0'],
  ])('%s holds %s and not %s', (range, inside, outside) => {
    const { trusts } = proxies('x-forwarded', range)
    expect([trusts(inside), trusts(outside), trusts(''), trusts('x')]).toEqual([true, false, false, false])
  })

  test.each([
    '',
    '*',
    '10',
    '10.0.0',
    '10.0.0.0/0',
    '::/0',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/08',
    '10.0.0.0/-8',
    '10.0.0.0/8.5',
    '10.0.0.0 /8',
    '10.0.0.0/255.0.0.0',
    '10.0.0.256',
    'fe80::1%eth0',
    'proxy.example',
    '[::1]',
    '10.0.0.1-10.0.0.9',
  ])('is none: %j', (text) => {
    expect(parseAddressRange(text)).toBeUndefined()
  })
})
