import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'

/** Who somebody is on a TLS connection: a certificate, with those between it and its authority, and its key; in PEM. */
export interface Identity {
  readonly certificate: string
  readonly key: string
}

/** Reads a file that gateway.yaml names, or says why it cannot. */
export type ReadNamed = (path: string) => { readonly text: string } | { readonly mistake: string }

/** What is the matter with a file that a setting names. No message holds anything of a key. */
export interface Finding {
  /** The setting beside which it is found. */
  readonly setting: string
  readonly message: string
}

/** What was read, and what was found. `doubts` keep nobody from serving: a certificate that is not valid today. */
export interface TlsRead<T> {
  readonly value?: T
  readonly mistakes: readonly Finding[]
  readonly doubts: readonly Finding[]
}

/** Reads `certificate` and `key`, which belong together. */
export function readIdentity(
  files: { readonly certificate: string; readonly key: string },
  read: ReadNamed,
  now: Date,
): TlsRead<Identity> {
  const certificate = read(files.certificate)
  const key = read(files.key)
  const mistakes: Finding[] = []
  const mistaken = (setting: string, message: string) => void mistakes.push({ setting, message })
  if ('mistake' in certificate) mistaken('certificate', certificate.mistake)
  if ('mistake' in key) mistaken('key', key.mistake)
  if ('mistake' in certificate || 'mistake' in key) return { mistakes, doubts: [] }

  const chain = certificatesOf(certificate.text)
  const [own] = chain
  if (!own) mistaken('certificate', noCertificate(files.certificate))
  const privateKey = privateKeyOf(key.text, files.key)
  if ('mistake' in privateKey) mistaken('key', privateKey.mistake)
  else if (own && !own.checkPrivateKey(privateKey.key)) {
    mistaken('key', `The key does not belong to the first certificate in \`${files.certificate}\`.`)
  }
  if (mistakes.length > 0) return { mistakes, doubts: [] }
  const value = { certificate: certificate.text, key: key.text }
  const code = codeOfTls({ cert: value.certificate, key: value.key })
  if (code !== undefined) return { mistakes: [{ setting: 'certificate', message: unusable(code) }], doubts: [] }
  return { value, mistakes, doubts: doubtsOf('certificate', files.certificate, chain, now) }
}

/** Reads the certificates of the authorities of which one must have signed what the other side shows; in PEM. */
export function readAuthorities(setting: string, path: string, read: ReadNamed, now: Date): TlsRead<string> {
  const file = read(path)
  if ('mistake' in file) return { mistakes: [{ setting, message: file.mistake }], doubts: [] }
  const authorities = certificatesOf(file.text)
  if (authorities.length === 0) return { mistakes: [{ setting, message: noCertificate(path) }], doubts: [] }
  const code = codeOfTls({ ca: file.text })
  if (code !== undefined) return { mistakes: [{ setting, message: unusable(code) }], doubts: [] }
  return { value: file.text, mistakes: [], doubts: doubtsOf(setting, path, authorities, now) }
}

const noCertificate = (path: string) => `There is no certificate in PEM in \`${path}\`.`
const unusable = (code: string) => `TLS cannot be spoken with it (${code}).`

/** The certificates of a PEM text, in their order; none when one of them cannot be read. */
function certificatesOf(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  try {
    return blocks.map((block) => new X509Certificate(block))
  } catch {
    return []
  }
}

/** When the first of the certificates of a PEM text expires, in milliseconds since 1970; undefined where there is none. */
export function expiryOf(pem: string): number | undefined {
  const times = certificatesOf(pem).map(({ validTo }) => Date.parse(validTo))
  return times.length === 0 ? undefined : Math.min(...times)
}

function privateKeyOf(pem: string, path: string) {
  try {
    return { key: createPrivateKey(pem) }
  } catch {
    return /^-----BEGIN ENCRYPTED |^Proc-Type: .*ENCRYPTED/m.test(pem)
      ? { mistake: `The private key in \`${path}\` is encrypted: store it without a passphrase, for this user alone.` }
      : { mistake: `There is no private key in PEM in \`${path}\`.` }
  }
}

/** Why OpenSSL does not take it: a key that is too short for it, for one. */
function codeOfTls(options: Parameters<typeof createSecureContext>[0]): string | undefined {
  try {
    createSecureContext(options)
    return undefined
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    return code
  }
}

function doubtsOf(setting: string, path: string, certificates: readonly X509Certificate[], now: Date): Finding[] {
  return certificates.flatMap(({ validFrom, validTo }, index) => {
    const which = certificates.length === 1 ? 'The certificate' : `Certificate ${index + 1}`
    const message =
      now > new Date(validTo)
        ? `${which} in \`${path}\` expired on ${dayOf(validTo)}.`
        : now < new Date(validFrom)
          ? `${which} in \`${path}\` is not valid before ${dayOf(validFrom)}.`
          : undefined
    return message === undefined ? [] : [{ setting, message }]
  })
}

const dayOf = (time: string) => new Date(time).toISOString().slice(0, 10)
