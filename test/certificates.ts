import { generate } from 'selfsigned'

/** A certificate and its key, in PEM. */
export interface Issued {
  readonly certificate: string
  readonly key: string
}

export interface Authority {
  /** Its own certificate, in PEM. */
  readonly certificate: string
  /**
   * Issues a certificate for 127.0.0.1 and another name.
   * @param days from when to when it is valid, counted from today
   */
  issue(name?: string, days?: readonly [from: number, to: number]): Promise<Issued>
}

const inDays = (days: number) => new Date(Date.now() + days * 24 * 3_600_000)
const keys = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const
const named = (value: string) => [{ name: 'commonName', value }]

/** An authority that nobody knows, for this test alone. */
export async function createAuthority(name = 'an authority of the tests'): Promise<Authority> {
  const own = await generate(named(name), {
    ...keys,
    notBeforeDate: inDays(-1000),
    notAfterDate: inDays(1000),
    extensions: [{ name: 'basicConstraints', cA: true, critical: true }],
  })
  return {
    certificate: `${own.cert.trim()}\n`,
    async issue(name = 'localhost', [from, to] = [-1, 1]) {
      const altNames = [
        { type: 7, ip: '127.0.0.1' },
        { type: 2, value: name },
      ] as const
      const issued = await generate(named(name), {
        ...keys,
        notBeforeDate: inDays(from),
        notAfterDate: inDays(to),
        ca: { key: own.private, cert: own.cert },
        extensions: [{ name: 'subjectAltName', altNames: [...altNames] }],
      })
      return { certificate: `${issued.cert.trim()}\n`, key: issued.private }
    },
  }
}
