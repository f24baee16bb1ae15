import type { Broker } from '../src/broker/broker.js'
import { compose } from '../src/compose.js'
import { openConfiguredRelay } from '../src/compose/transactions.js'
import { systemClock } from '../src/core/clock.js'
import { setErrorStacks } from '../src/core/codec/error-stacks.js'
import { setContextSettings } from '../src/core/context-settings.js'
import type { Logger } from '../src/core/logger.js'
import type { ErrorReporter } from '../src/core/report.js'
import { declareBuiltInTasks } from '../src/orders/built-in-tasks.js'
import { appState, setAppState } from '../src/runtime/app.js'
import { markWorkerProcess } from '../src/runtime/process-role.js'
import { Replies } from '../src/runtime/replies.js'
import type { Runtime } from '../src/runtime/runtime.js'
import { traceOf } from '../src/runtime/trace.js'
import { useConfiguredCarriers } from '../src/use-carriers.js'
import { loadContainer } from './load-container.js'
import { loadErrorReporter } from './load-error-reporter.js'
import { loadModule } from './load-module.js'
import { loadService } from './load-service.js'
import { ModuleLoader, type LoadModule } from './module-loader.js'
import { onceReachable } from './patience.js'
import { guardPorts } from './port-guard.js'
import { warningWhenSlow } from './slow-module.js'
import type { WorkerInstructions } from './supervisor/protocol.js'

/** What a process or thread needs to run tasks. */
export interface WorkerSetup extends WorkerInstructions {
  readonly log: Logger
  /** How long modules may open no ports: not at all, while they load, or as long as the process lives. */
  readonly guardPorts: 'never' | 'loading' | 'always'
  /** What becomes of calls that modules make at their top level while they load: in a spawned worker the server has sent them. */
  readonly callsWhileLoading: 'sent' | 'withheld'
  /** Use this broker instead of opening the configured one. */
  readonly broker?: Broker | undefined
  /** Ends the wait for a broker that cannot be reached. */
  readonly signal?: AbortSignal | undefined
  /** Not a worker but a lane of one, which says itself that it cannot start. @defaultValue false */
  readonly isLane?: boolean | undefined
  /** Called when a first task came to its end here, well or not: this process is of use. */
  readonly onFirstEnd?: (() => void) | undefined
  /** Gets the configured error reporter, for failures that only the process sees. */
  readonly onReporter?: ((report: ErrorReporter) => void) | undefined
}

/** A process or thread that could run tasks now. */
export interface Prepared {
  readonly runtime: Runtime
  /** Names of the tasks. */
  readonly tasks: readonly string[]
  /** Closes what was opened. */
  readonly cleanUp: (() => unknown)[]
}

/**
 * Loads the services; waits for a broker that cannot be reached.
 * @throws ErrandError `SERVICE_LOAD_FAILED`, and what the broker refuses with
 */
export async function prepare(setup: WorkerSetup): Promise<Prepared> {
  markWorkerProcess()
  const { config, log, broker, signal } = setup
  const report = (await loadErrorReporter(config, log)) ?? (() => {})
  setup.onReporter?.(report)
  // a worker waits for messages: that is a reason to stay, which not every broker gives by itself
  const hold = setInterval(() => {}, 2 ** 30)
  const cleanUp: (() => unknown)[] = [() => clearInterval(hold)]
  try {
    setContextSettings(config)
    setErrorStacks(config.errorStacks)
    await useConfiguredCarriers(config)
    const runtime = await onceReachable(() => compose(config, { log, report, broker }), { log, clock: systemClock, signal })
    cleanUp.push(() => runtime.close())
    cleanUp.push(callThrough(runtime, log))
    declareBuiltInTasks()
    if (setup.isLane !== true) cleanUp.push(await relayOf(config, runtime))
    return { runtime, tasks: await load(setup, runtime, cleanUp), cleanUp }
  } catch (error) {
    await undo(cleanUp, log)
    if (signal?.aborted !== true && setup.isLane !== true) await reportFatal({ report, log }, `The worker of ${config.service} cannot start`, error)
    throw error
  }
}

/** Publishes what transactions left behind; the answer ends that. */
async function relayOf(config: WorkerSetup['config'], runtime: Runtime): Promise<() => Promise<void>> {
  const relay = await openConfiguredRelay(config, runtime)
  return () => relay.close()
}

/** Tells people that a worker is gone. Never rejects. */
export async function reportFatal(to: { readonly report: ErrorReporter; readonly log: Logger }, title: string, error: unknown): Promise<void> {
  to.log.error(`${title}: ${traceOf(error)}`)
  try {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
    await to.report({ title, error, data: { fatal: true, ...(typeof code === 'string' ? { code } : {}) } })
  } catch (failure) {
    to.log.error(`The error reporter failed: ${traceOf(failure)}`)
  }
}

async function load(setup: WorkerSetup, { clock }: Runtime, cleanUp: (() => unknown)[]): Promise<readonly string[]> {
  const { config, modules, log, guardPorts: guarded, callsWhileLoading } = setup
  const lift = guarded === 'never' ? () => {} : guardPorts(log)
  cleanUp.push(lift)
  const loader = new ModuleLoader(log)
  const loadOne: LoadModule = callsWhileLoading === 'sent' ? loadModule : (url, role) => loader.load(url, role)
  const importing = warningWhenSlow(loadOne, { log, clock })
  const container = await loadContainer(config, importing)
  if (container?.close !== undefined) cleanUp.push(() => container.close?.())
  const tasks = await loadService(config, modules, importing)
  if (guarded === 'loading') lift()
  return tasks
}

/** Lets the tasks call tasks, unless this process does so already. The answer takes that back. */
function callThrough(runtime: Runtime, log: Logger): () => Promise<void> {
  if (appState().kind === 'on') return async () => {}
  const replies = new Replies(runtime.broker, runtime.messages, log)
  const state = { kind: 'on', runtime, replies } as const
  setAppState(state)
  return async () => {
    if (appState() === state) setAppState({ kind: 'stopped' })
    await replies.close()
  }
}

/** Closes what was opened, the last first; one failure does not keep the others from it. */
export async function undo(steps: readonly (() => unknown)[], log: Logger): Promise<void> {
  for (const step of steps.toReversed()) {
    try {
      await step()
    } catch (error) {
      log.warn(`Closing the worker: ${error instanceof Error ? error.message : 'a value that is no error was thrown'}`)
    }
  }
}
