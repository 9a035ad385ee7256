import { mkdir, readdir, rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'

/** A folder that this process alone uses until it ends. */
export interface Slot {
  readonly folder: string
  leave(): Promise<void>
}

/** The most processes that share a folder. */
const mostSlots = 64

/**
 * Takes the first folder of some, `0`, `1` …, that no living process uses. A socket in it says that it is in use: it answers only
 * while its process lives, however that ends.
 */
export async function takeSlot(folder: string): Promise<Slot> {
  for (let number = 0; number < mostSlots; number++) {
    const own = join(folder, String(number))
    await mkdir(own, { recursive: true, mode: 0o750 })
    const server = await occupy(own)
    if (server) {
      return { folder: own, leave: () => closed(server) }
    }
  }
  throw Object.assign(new Error('Every folder of the queue is in use.'), { code: 'QUEUE_IN_USE' })
}

/**
 * The sockets of a folder are counted up: of several processes that find a dead one, as after the machine's end, one only gets the next
 * number. To remove it and take its name could remove what another has put there in between.
 */
async function occupy(folder: string): Promise<Server | undefined> {
  const before = await socketsIn(folder)
  if (await someAnswer(folder, before)) return undefined
  const own = `${socketName}.${Math.max(0, ...before.map(numberOf)) + 1}`
  const server = await listenOn(join(folder, own))
  if (!server) return undefined
  // By now everybody who may have overtaken us is seen, or sees this one.
  const others = (await socketsIn(folder)).filter((name) => name !== own)
  if (await someAnswer(folder, others)) {
    await closed(server)
    return undefined
  }
  for (const name of others) await rm(join(folder, name), { force: true })
  return server
}

const socketName = 'in-use'

const numberOf = (name: string) => Number(name.slice(socketName.length + 1))

const socketsIn = async (folder: string) => (await readdir(folder)).filter((name) => /^in-use(?:\.\d+)?$/.test(name))

const closed = (server: Server) => new Promise<void>((resolve) => void server.close(() => resolve()))

async function someAnswer(folder: string, names: readonly string[]): Promise<boolean> {
  const all = await Promise.all(names.map((name) => answers(join(folder, name))))
  return all.includes(true)
}

function listenOn(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(error)
    })
    // It keeps no process alive that has nothing else to do.
    server.listen(path, () => resolve(server.unref()))
  })
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    // Whatever else is wrong, somebody may live.
    socket.once('error', ({ code = '' }: NodeJS.ErrnoException) => resolve(!['ECONNREFUSED', 'ENOENT'].includes(code)))
  })
}
