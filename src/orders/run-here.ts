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

/** Runs a call in this process, through the message that a worker would have got, until it has ended: retries follow at once. */
export async function runHere(runtime: Runtime, { task, call, known }: HeldCall): Promise<TaskRecord | undefined> {
  let message: OutgoingMessage | undefined
  const broker = withholding(runtime.broker, (held) => (message = held))
  const joined = await sendKnown({ ...runtime, broker }, task, call, known)
  if (joined !== undefined || message === undefined) return joined
  const { id, queue, body, priority = 0 } = message
  const executor = createExecutor(runtime)
  for (let attempt = 1; ; attempt++) {
    const verdict = await executor.run({ id, queue, body, attempt, crashes: 0, priority }, new LazySignal())
    if (verdict.kind !== 'again' && verdict.kind !== 'later') return undefined
  }
}

/** `broker`, except that messages are handed to `hold` and go nowhere. */
function withholding(broker: Broker, hold: (message: OutgoingMessage) => void): Broker {
  return {
    features: broker.features,
    publish: async (message) => hold(message),
    consume: (queue, options, handle) => broker.consume(queue, options, handle),
    count: (queue) => broker.count(queue),
    browse: (queue, visit) => broker.browse(queue, visit),
    ping: () => broker.ping(),
    close: () => broker.close(),
    [Symbol.asyncDispose]: () => broker.close(),
  }
}
