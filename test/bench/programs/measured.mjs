/** Loaded into a server that is measured (`node --import`): tells what it has used, and takes its profile. */
import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { answerQuestions } from './questions.mjs'

const session = new Session()

answerQuestions({
  usage() {
    const { user, system } = process.cpuUsage()
    return { cpuMicroseconds: user + system }
  },
  memory() {
    globalThis.gc?.()
    const { rss, heapUsed } = process.memoryUsage()
    return { rss, heapUsed }
  },
  async startProfile() {
    session.connect()
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: 250 })
    await session.post('Profiler.start')
  },
  async stopProfile({ file }) {
    const { profile } = await session.post('Profiler.stop')
    session.disconnect()
    writeFileSync(file, JSON.stringify(profile))
  },
})
// The server alone decides how long it lives.
process.channel.unref()
