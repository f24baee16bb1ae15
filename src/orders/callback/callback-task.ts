import { newId } from '../../core/clock.js'
import { encodeArguments } from '../../core/codec/encode.js'
import type { FollowUp } from '../../core/follow-up.js'
import { processState } from '../../core/process-state.js'
import type { PlannedFailure } from '../../core/retry-policy.js'
import { ErrandError } from '../../errors.js'
import { appState } from '../../runtime/app.js'
import { declareBuiltIn, type BuiltInTask } from '../../runtime/built-in.js'
import { currentTask } from '../../runtime/current-task.js'
import type { CallbackSettings, Runtime } from '../../runtime/runtime.js'
import { ordersApp } from '../app.js'
import { bodyOf, type CallbackOrder } from './callback-body.js'
import { callbackUrl } from './callback-url.js'
import { deliver } from './deliver.js'
import { planCallback } from './plan.js'

/** Calls a URL because an order has ended. */
type SendCallback = [url: string, order: CallbackOrder]

/** The task `errand.callback`; every server and worker asks for it before it takes anything on. */
export const callbackTask = (): BuiltInTask<SendCallback> => processState('callback-task', () => declareBuiltIn({ name: 'callback', body: send, plan }))

/**
 * The URL that an order may have called, as it will be; to be asked before anything of the order is queued.
 * @throws ErrandError `CALLBACK_REFUSED`
 */
export const acceptCallback = (runtime: Runtime, given: unknown): string => callbackUrl(given, settingsOf(runtime)).href

/** The call that follows any end of an order; it waits in `queue`, which a worker consumes that runs such orders. */
export function callbackAfter(url: string, order: CallbackOrder, queue: string): FollowUp {
  const { name, declaration } = callbackTask().task
  const { delayMs, priority } = declaration.options
  const args = encodeArguments([url, order], `Cannot send ${name}`)
  return { on: 'ended', id: newId(), task: name, args, options: { delayMs, priority, queue, tags: [`order:${order.uuid}`] }, next: [] }
}

async function send(...[url, order]: SendCallback): Promise<void> {
  const { id, signal, log } = currentTask()
  const app = await ordersApp()
  const { runtime } = app
  await deliver({ url, id, body: await bodyOf(app, order), nowMs: runtime.clock.now(), signal }, settingsOf(runtime))
  log.debug(`The callback of order ${order.uuid} was accepted.`)
}

function plan(failure: PlannedFailure): number | undefined {
  const state = appState()
  return state.kind === 'on' ? planCallback(failure, settingsOf(state.runtime).retries) : undefined
}

function settingsOf({ callbacks }: Runtime): CallbackSettings {
  if (callbacks !== undefined) return callbacks
  throw new ErrandError('CALLBACK_REFUSED', 'The callback URL cannot be used: this process sends none. Name the hosts that may be called under callbacks.hosts in the configuration.')
}
