import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { expiryOf, readAuthorities, readIdentity, type ReadNamed } from '../../../src/config/tls-files.ts'
import { createAuthority, type Authority, type Issued } from '../../certificates.ts'

const files = { certificate: 'tls.crt', key: 'tls.key' }

let authority: Authority
let issued: Issued
beforeAll(async () => {
  authority = await createAuthority()
  issued = await authority.issue()
})

const readFrom =
  (texts: Readonly<Record<string, string>>): ReadNamed =>
  (path) => {
    const text = texts[path]
    return text === undefined ? { mistake: `There is no file \`${path}\`.` } : { text }
  }
const identity = (certificate: string, key: string, now = new Date()) =>
  readIdentity(files, readFrom({ 'tls.crt': certificate, 'tls.key': key }), now)
const daysFromNow = (days: number) => new Date(Date.now() + days * 24 * 3_600_000)

describe('a certificate and its key', () => {
  it('are taken as they stand in their files', () => {
    const chain = issued.certificate + authority.certificate
    expect(identity(chain, issued.key)).toEqual({
      value: { certificate: chain, key: issued.key },
      mistakes: [],
      doubts: [],
    })
  })

  it.each<[string, () => readonly [string, string], string, string]>([
    ['no certificate', () => ['', issued.key], 'certificate', 'There is no certificate in PEM in `tls.crt`.'],
    [
      'the key in the place of the certificate',
      () => [issued.key, issued.key],
      'certificate',
      'There is no certificate in PEM in `tls.crt`.',
    ],
    [
      'a certificate that is cut off',
      () => [issued.certificate.replace(/.{64}\n/, ''), issued.key],
      'certificate',
      'There is no certificate in PEM in `tls.crt`.',
    ],
    ['no key', () => [issued.certificate, 'secret'], 'key', 'There is no private key in PEM in `tls.key`.'],
    [
      'a certificate in the place of the key',
      () => [issued.certificate, issued.certificate],
      'key',
      'There is no private key in PEM in `tls.key`.',
    ],
    [
      'a key with a passphrase',
      () => {
        const key = createPrivateKey(issued.key)
        const pem = key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' })
        return [issued.certificate, String(pem)]
      },
      'key',
      'The private key in `tls.key` is encrypted: store it without a passphrase, for this user alone.',
    ],
    [
      'another key',
      () => {
        const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
        return [issued.certificate, String(privateKey.export({ type: 'pkcs8', format: 'pem' }))]
      },
      'key',
      'The key does not belong to the first certificate in `tls.crt`.',
    ],
    [
      'the authority’s certificate first',
      () => [authority.certificate + issued.certificate, issued.key],
      'key',
      'The key does not belong to the first certificate in `tls.crt`.',
    ],
  ])('are refused with %s', (_what, texts, setting, message) => {
    const read = identity(...texts())
    expect(read).toEqual({ mistakes: [{ setting, message }], doubts: [] })
  })

  it('are both told when both are not there', () => {
    expect(readIdentity(files, readFrom({}), new Date())).toEqual({
      mistakes: [
        { setting: 'certificate', message: 'There is no file `tls.crt`.' },
        { setting: 'key', message: 'There is no file `tls.key`.' },
      ],
      doubts: [],
    })
  })

  it.each([
    [2, /^The certificate in `tls\.crt` expired on \d{4}-\d\d-\d\d\.$/],
    [-2, /^The certificate in `tls\.crt` is not valid before \d{4}-\d\d-\d\d\.$/],
  ])('are taken when the certificate is not valid on this day (%i days off), and that is told', (days, message) => {
    const read = identity(issued.certificate, issued.key, daysFromNow(days))
    expect(read.value).toBeDefined()
    expect(read.doubts).toEqual([{ setting: 'certificate', message: expect.stringMatching(message) }])
  })
})

it('a chain expires with the first of its certificates', async () => {
  const { certificate } = await authority.issue('localhost', [-1, 30])
  const seconds = Math.round(daysFromNow(30).getTime() / 1000)
  for (const chain of [certificate + authority.certificate, authority.certificate + certificate]) {
    expect(Math.abs(expiryOf(chain)! / 1000 - seconds)).toBeLessThan(120)
  }
  expect(expiryOf('')).toBeUndefined()
})

describe('the authorities', () => {
  const read = (text: string, now = new Date()) =>
    readAuthorities('client-ca', 'ca.pem', readFrom({ 'ca.pem': text }), now)

  it('may be several', async () => {
    const text = authority.certificate + (await createAuthority('another')).certificate
    expect(read(text)).toEqual({ value: text, mistakes: [], doubts: [] })
  })

  it('that have expired are told', () => {
    expect(read(authority.certificate, daysFromNow(1001)).doubts).toHaveLength(1)
  })

  it.each(['', 'x', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'])(
    'are refused where there is none: %j',
    (text) => {
      const message = 'There is no certificate in PEM in `ca.pem`.'
      expect(read(text)).toEqual({ mistakes: [{ setting: 'client-ca', message }], doubts: [] })
    },
  )
})
