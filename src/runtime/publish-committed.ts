import type { OutgoingMessage } from '../broker/broker.js'
import type { OpenedCall } from '../core/message.js'
import { registry } from '../core/registry.js'
import { announcementsOf } from './composition/announce.js'
import { emit } from './events.js'
import type { Runtime } from './runtime.js'
import { announcementOf } from './tracking/announcement.js'

/**
 * Publishes a call that waited for the commit of its transaction, and makes it known: until then nobody may find it, since it could
 * have been rolled back. Asked again after a crash it publishes nothing that is known to be there.
 * @throws what `publish` of the broker rejects with
 */
export async function publishCommitted(runtime: Runtime, message: OutgoingMessage): Promise<void> {
  const { broker, tracking, log, clock } = runtime
  const sending = { message, send: () => broker.publish(message) }
  const call = opened(runtime, message)
  const { queue, delayMs = 0 } = message
  const declared = call && registry.find(call.task)?.declaration.options
  if (call === undefined || tracking === undefined || declared?.track === false) await sending.send()
  else {
    const options = { queue, delayMs, tags: declared?.tags ?? [] }
    const leaving = { ...call, isReadOnce: declared?.resultOnce === true, options }
    const following = announcementsOf(runtime, tracking, { ...call, delayMs }, call.next ?? [])
    await tracking.announceDeferred(announcementOf(leaving, tracking.keepFailedMs), sending, following)
  }
  if (call !== undefined) emit(log, 'queued', { id: call.id, task: call.task, at: clock.now(), queue, delayMs })
}

/** What this process cannot open, a worker will refuse with the reason. */
function opened({ messages }: Runtime, { body }: OutgoingMessage): OpenedCall | undefined {
  try {
    return messages.openCall(body)
  } catch {
    return undefined
  }
}
