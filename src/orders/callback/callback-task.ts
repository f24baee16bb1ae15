import { processState } from '../../core/process-state.js'
import type { PlannedFailure } from '../../core/retry-policy.js'
import { ErrandError } from '../../errors.js'
import { appState } from '../../runtime/app.js'
import { declareBuiltIn } from '../../runtime/built-in.js'
import { currentTask } from '../../runtime/current-task.js'
import type { CallbackSettings, Runtime } from '../../runtime/runtime.js'
import { bodyOf, type CallbackOrder, type OrderEnd } from './callback-body.js'
import { callbackUrl } from './callback-url.js'
import { deliver } from './deliver.js'
import { planCallback } from './plan.js'

/** Calls `url` when an order has ended; a task that follows that of the order. */
export type SendCallback = (url: string, order: CallbackOrder, end: OrderEnd) => Promise<void>

/** The task `errand.callback`; every server and worker asks for it before it takes anything on. */
export const callbackTask = (): SendCallback => processState('callback-task', () => declareBuiltIn({ name: 'callback', body: send, plan }))

/**
 * The URL that an order may have called, as it will be; to be asked before anything of the order is queued.
 * @throws ErrandError `CALLBACK_REFUSED`
 */
export function acceptCallback(given: unknown): string {
  const { callbacks } = onState()
  return callbackUrl(given, callbacks).href
}

async function send(url: string, order: CallbackOrder, end: OrderEnd): Promise<void> {
  const { id, signal, log } = currentTask()
  const { callbacks, clock } = onState()
  await deliver({ url, id, body: bodyOf(order, end), nowMs: clock.now(), signal }, callbacks)
  log.debug(`The callback of order ${order.uuid} was accepted.`)
}

const plan = (failure: PlannedFailure): number | undefined => planCallback(failure, onState().callbacks.retries)

function onState(): Pick<Runtime, 'clock'> & { readonly callbacks: CallbackSettings } {
  const state = appState()
  const callbacks = state.kind === 'on' ? state.runtime.callbacks : undefined
  if (state.kind === 'on' && callbacks !== undefined) return { clock: state.runtime.clock, callbacks }
  throw new ErrandError('CALLBACK_REFUSED', 'The callback URL cannot be used: this process sends none. Set "withAsync: true", and call start() first.')
}
