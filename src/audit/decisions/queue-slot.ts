import { mkdir, rm } from 'node:fs/promises'
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
    const path = join(own, 'in-use')
    const server = (await listenOn(path)) ?? (await takeOver(path))
    if (server) {
      const leave = () => new Promise<void>((resolve) => void server.close(() => resolve()))
      return { folder: own, leave }
    }
  }
  throw Object.assign(new Error('Every folder of the queue is in use.'), { code: 'QUEUE_IN_USE' })
}

async function takeOver(path: string): Promise<Server | undefined> {
  if (await answers(path)) return undefined
  await rm(path, { force: true })
  return listenOn(path)
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
    socket.once('error', () => resolve(false))
  })
}
