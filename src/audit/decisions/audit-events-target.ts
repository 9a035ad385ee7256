import { join } from 'node:path'
import { releaseOf } from '../../fhir/version.ts'
import { createAppender, type Appender } from './appender.ts'
import { auditEventOf, type AuditEventRelease } from './audit-event.ts'
import type { DecisionTarget } from './decisions.ts'
import { deliver, type Delivery, type Delivering, type Posted } from './deliver.ts'
import { openFile } from './open-file.ts'
import { openQueue, type DecisionQueue } from './queue.ts'
import { takeSlot, type Slot } from './queue-slot.ts'
import { lineOf, type DecisionRecord } from './record.ts'

export interface AuditEventsOptions {
  /** The folder of the queue; several processes may share it. */
  readonly folder: string
  readonly maxBytes: number
  /** Whether a record is safe only when the disk has it. */
  readonly sync: boolean
  /** Undefined: that of the policy by which it was judged. */
  readonly release: AuditEventRelease | undefined
  /** Sends an AuditEvent in FHIR JSON. */
  post(event: string): Promise<Posted>
  tried: Delivering['tried']
}

export interface AuditEventsTarget extends DecisionTarget {
  /** How much the files of the queue hold. */
  queueBytes(): number
}

/** For so long what is left in the queue is delivered when the process ends, in milliseconds; the rest stays for the next one. */
const lastDeliveryMs = 5000

interface Opened {
  readonly slot: Slot
  readonly queue: DecisionQueue
  readonly setAside: Appender
  readonly delivery: Delivery
}

/** FHIR AuditEvents on a server, by way of a queue on the disk. */
export function auditEventsTarget(options: AuditEventsOptions): AuditEventsTarget {
  let opening: Promise<Opened> | undefined
  let queueBytes = () => 0
  const opened = () => {
    opening ??= open(options).catch((error: unknown) => {
      opening = undefined
      throw error
    })
    return opening
  }
  // What is left of the process before is delivered without another write. Why it cannot be is told with the first one.
  opened().then(
    ({ queue }) => void (queueBytes = queue.bytes),
    () => {},
  )
  return {
    async write(records) {
      const { queue } = await opened()
      await queue.push(records)
    },
    queueBytes: () => queueBytes(),
    async close() {
      const all = await opening?.catch(() => undefined)
      if (!all) return
      await all.delivery.stop(lastDeliveryMs)
      await all.queue.close()
      await all.setAside.close()
      await all.slot.leave()
    },
  }
}

async function open({ folder, maxBytes, sync, release, post, tried }: AuditEventsOptions): Promise<Opened> {
  const slot = await takeSlot(folder)
  try {
    const queue = await openQueue(slot.folder, { sync, maxBytes })
    const file = join(slot.folder, 'set-aside.ndjson')
    const setAside = createAppender(() => openFile({ file, sync, lineStart: '{"id":"' }))
    const delivery = deliver({
      queue,
      post: (record) => post(JSON.stringify(auditEventOf(record, release ?? releaseOfRecord(record)))),
      setAside: (record) => setAside.append(lineOf(record)),
      tried,
    })
    return { slot, queue, setAside, delivery }
  } catch (error) {
    await slot.leave()
    throw error
  }
}

/** A config whose policies are of another version names the one that the server speaks. */
const releaseOfRecord = ({ fhirVersion }: DecisionRecord) => (releaseOf(fhirVersion) === 'STU3' ? 'STU3' : 'R4')
