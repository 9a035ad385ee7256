import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { takeSlot } from '../../../../src/audit/decisions/queue-slot.ts'

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'slots-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** The socket of a process that was killed: nobody answers, and it is still there. */
async function leaveSocket(folder: string, name: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const server = createServer().listen(join(folder, 'alive'))
  await once(server, 'listening')
  renameSync(join(folder, 'alive'), join(folder, name))
  server.close()
  await once(server, 'close')
}

async function take(folder: string) {
  const slot = await takeSlot(folder)
  onTestFinished(() => slot.leave())
  return slot
}

it('gives each its own folder, and the first again when it is left', async () => {
  const folder = newFolder()
  const [first, second] = [await take(folder), await take(folder)]
  expect([first.folder, second.folder]).toEqual([join(folder, '0'), join(folder, '1')])
  await first.leave()
  expect(readdirSync(first.folder)).toEqual([])
  expect((await take(folder)).folder).toBe(first.folder)
})

it.each(['in-use', 'in-use.7'])('takes what a process that was killed has left as %s', async (name) => {
  const folder = newFolder()
  await leaveSocket(join(folder, '0'), name)
  expect((await take(folder)).folder).toBe(join(folder, '0'))
  expect(readdirSync(join(folder, '0'))).toHaveLength(1)
  expect((await take(folder)).folder).toBe(join(folder, '1'))
})

it('gives no folder to two, when all processes were killed and start again at the same time', async () => {
  for (let round = 0; round < 20; round++) {
    const folder = newFolder()
    for (const number of [0, 1, 2, 3]) await leaveSocket(join(folder, `${number}`), 'in-use')
    const slots = await Promise.all(Array.from({ length: 8 }, () => take(folder)))
    expect(new Set(slots.map((slot) => slot.folder)).size).toBe(8)
  }
})
