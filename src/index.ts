import { carry } from './core/carrier.js'
import { orderCarrier } from './orders/current-order.js'
import { callUpdated } from './orders/follow.js'
import { setAutoStart } from './runtime/app.js'
import { start } from './start.js'

export { asyncTask } from './runtime/decorator.js'
export type { AsyncTask, ResultTaskDecorator, ResultTaskOptions, VoidTaskDecorator, VoidTaskOptions } from './runtime/decorator-types.js'
export { everyTask, type EveryTask } from './runtime/schedule/every-task.js'
export type { ScheduleOptions, Timing } from './core/schedule/schedule.js'
export { background, enqueue, original, perform, type Background, type FollowUpCall, type SendOptions } from './runtime/background.js'
export { chain, type ChainHandle, type StepResult } from './runtime/composition/chain.js'
export { all, type AllHandle, type GroupResults } from './runtime/composition/all.js'
export type { Join } from './runtime/keys/once.js'
export {
  checkStatusOrBegin,
  getOrRun,
  PROCESS_TEXTS,
  type BeginOptions,
  type CheckedProcess,
  type CheckOptions,
  type ProcessText,
  type RunOrValue,
} from './runtime/keys/begin.js'
export {
  getKeyFromTaskId,
  getProcessResult,
  getProcessStatus,
  getTaskIdFromKey,
  processIsComplete,
  processIsPending,
  processIsRunning,
  processIsRunningOrComplete,
  type ProcessChoice,
  type ProcessStatus,
} from './runtime/keys/process.js'
export type { ResultOptions, TaskHandle, WatchOptions } from './runtime/handle.js'
export { tasks, type TaskPage, type Tasks, type TaskSearch } from './runtime/tasks.js'
export type { CancelManyOptions, CancelManyResult, CancelOptions, CancelResult, CancelSearch } from './runtime/cancellation/cancel.js'
export type { TaskCancellation } from './runtime/cancellation/cancelled.js'
export type { TaskAttempt, TaskFailure, TaskProgress, TaskStatus } from './runtime/tracking/status.js'
export { asyncProgress, failOnError, progressItems, setProgress } from './runtime/progress.js'
export type { TaskState } from './core/lifecycle.js'
export { currentTask, currentTaskId, isAsyncTask, type CurrentTask } from './runtime/current-task.js'
export { timedQuery, type TimedQueryOptions } from './runtime/timed-query.js'
export { withTransaction } from './runtime/with-transaction.js'
export type { TransactionClient } from './core/transaction.js'
export { on, type Events, type TaskEvent, type TaskRunEvent, type WorkerDeath } from './runtime/events.js'
export { around, type AroundHook, type RunInfo } from './runtime/around.js'
export { context, withContext, type AnyUser, type BaseContext, type Context, type ContextInput } from './core/context.js'
// a star, because only then can an application augment it as a part of this module
export type * from './core/request-context.js'
export { carry, type Carrier } from './core/carrier.js'
export { register } from './core/codec/classes.js'
export type { CallOptions, TaskOptions } from './core/task-options.js'
export type { Duration } from './core/duration.js'
export type { Logger } from './core/logger.js'
export type { ErrorReporter, FailureData, FailureReport } from './core/report.js'
export { ErrandError, ERROR_CODES, type ErrorCode } from './errors.js'
export { schedules, type Schedules } from './schedules.js'
export type { Schedule } from './runtime/schedule/list.js'
export { verifyCallback, type ReceivedCallback, type VerifiedCallback } from './orders/callback/verify.js'
export { start, type Running, type StartOptions } from './start.js'
export { orders, type Orders, type PlaceOptions, type SignedLinkOptions } from './orders/orders.js'
export type { Order, OrderStatus } from './orders/order.js'
export type { OrderPage, OrderSearch } from './orders/list.js'
export type { OrderContext } from './orders/memo.js'
export type { ContextSchema, OrderSignal, OrderTask, RegisterOptions } from './orders/handlers.js'
export { currentOrder, type CurrentOrder } from './orders/current-order.js'
export type { OrderAction, OrderOption } from './core/order-option.js'
export { deadLetters, openDeadLetters, type OpenDeadLetters, type OpenDeadLettersOptions } from './dead-letters.js'
export type {
  DeadLetterChoice,
  DeadLetterListOptions,
  DeadLetters,
  DiscardOptions,
  DiscardResult,
  ReplayOptions,
  ReplayResult,
} from './runtime/dead-letters/dead-letters.js'
export type { DeadLetterFilter } from './runtime/dead-letters/filter.js'
export type { DeadLetter, DeadLetterWithBody, FailedRun, RedactedContext } from './runtime/dead-letters/letter.js'
export type { Config } from '../config/config.js'
export type { ConfigInput } from '../config/schema.js'

// a call made before start() starts by the configuration file; the call layer cannot import what stands above it
setAutoStart(() => start())
// an order is known to its run only where both processes use these
carry(orderCarrier)
callUpdated()
