import type { Config } from '../config/config.js'
import type { Runtime } from '../src/runtime/runtime.js'
import { plansOf } from '../src/runtime/schedule/plans.js'
import { Scheduler } from '../src/runtime/schedule/scheduler.js'

/**
 * Fires the schedules of the loaded tasks and of the configuration, in whichever worker of the service leads.
 * @throws ErrandError `SERVICE_LOAD_FAILED` for a schedule that cannot be
 */
export function startSchedules(config: Config, runtime: Runtime): Scheduler | undefined {
  const plans = plansOf(config.schedules)
  const { locks } = runtime
  if (plans.length === 0 || locks === undefined) return undefined
  const isStoreShared = config.store.kind === 'postgres' || !runtime.broker.features.crossHost
  return new Scheduler({ runtime: { ...runtime, locks }, plans, owner: config, isStoreShared })
}
