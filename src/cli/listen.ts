import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Where a server is to listen. */
export interface Place {
  /** Undefined: all interfaces. */
  readonly host: string | undefined
  /** 0: any free one. */
  readonly port: number
  /** The environment variable that sets the port, for the message. */
  readonly variable: string
}

/** Begins to listen. Gives the port, or one sentence that says why it cannot and what to do. */
export function listen(
  server: Server,
  { host, port, variable }: Place,
): Promise<{ readonly port: number } | { readonly mistake: string }> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) =>
      resolve({ mistake: mistakeOf(error.code, { host, port, variable }) })
    server.once('error', failed)
    server.listen({ port, ...(host !== undefined && { host }) }, () => {
      server.off('error', failed)
      resolve({ port: (server.address() as AddressInfo).port })
    })
  })
}

function mistakeOf(code: string | undefined, { host, port, variable }: Place): string {
  const where = host ?? 'all interfaces'
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} is in use on ${where}. Set ${variable} to another one, or to 0 for any free one.`
    case 'EACCES':
      return `Port ${port} may not be used by this user. Set ${variable} to one above 1023.`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
      return `HOST: ${where} is not an address of this machine.`
    default:
      return `The gateway cannot listen on port ${port} of ${where} (${code ?? 'unknown error'}).`
  }
}

/** The origin under which a server that listens can be reached from this machine. */
export function localOrigin(host: string | undefined, port: number, scheme: 'http' | 'https' = 'http'): string {
  const everywhere = host === undefined || host === '0.0.0.0' || host === '::'
  const name = everywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return `${scheme}://${name}:${port}`
}
