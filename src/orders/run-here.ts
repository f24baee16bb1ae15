import type { Broker, OutgoingMessage } from '../broker/broker.js'
import { LazySignal } from '../core/lazy-signal.js'
import { processState } from '../core/process-state.js'
import type { Task } from '../core/task.js'
import { sendKnown, type EncodedCall, type KnownCall } from '../runtime/dispatch.js'
import { createExecutor } from '../runtime/execute.js'
import type { Runtime } from '../runtime/runtime.js'
import type { TaskRecord } from '../store/store.js'

const state = processState('orders-here', () => ({ isHere: false }))

/** Whether handlers run in the process that calls them. */
export const isRunHere = (): boolean => state.isHere

export function setRunHere(isHere: boolean): void {
  state.isHere = isHere
}

/** A call, and how it is known. */
export interface HeldCall {
  readonly task: Task
  readonly call: EncodedCall
  readonly known: KnownCall
}

/**
 * Runs a call in this process, through the message that a worker would have got, until it and what follows it have ended: retries come
 * at once.
 */
export async function runHere(runtime: Runtime, { task, call, known }: HeldCall): Promise<TaskRecord | undefined> {
  const held: OutgoingMessage[] = []
  const here = { ...runtime, broker: withholding(runtime.broker, held) }
  const joined = await sendKnown(here, task, call, known)
  for (let next = held.shift(); next !== undefined; next = held.shift()) await runMessage(here, next)
  return joined
}

async function runMessage(runtime: Runtime, { id, queue, body, priority = 0 }: OutgoingMessage): Promise<void> {
  const executor = createExecutor(runtime)
  for (let attempt = 1; ; attempt++) {
    const verdict = await executor.run({ id, queue, body, attempt, crashes: 0, priority }, new LazySignal())
    if (verdict.kind !== 'again' && verdict.kind !== 'later') return
  }
}

/** `broker`, except that messages for workers are held. */
function withholding(broker: Broker, held: OutgoingMessage[]): Broker {
  return {
    features: broker.features,
    publish: async (message) => (message.toTemporary === true ? broker.publish(message) : void held.push(message)),
    consume: (queue, options, handle) => broker.consume(queue, options, handle),
    count: (queue) => broker.count(queue),
    browse: (queue, visit) => broker.browse(queue, visit),
    ping: () => broker.ping(),
    close: () => broker.close(),
    [Symbol.asyncDispose]: () => broker.close(),
  }
}
