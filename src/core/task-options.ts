import { ErrandError } from '../errors.js'
import { toMs, type Duration } from './duration.js'
import { resolveLimits, type LimitRule, type Rate } from './limits.js'
import { refuseUnknownKeys, show, withoutUndefined } from './options.js'
import { resolveOrderOption, type OrderOption, type ResolvedOrderOption } from './order-option.js'
import { isReservedName, RESERVED_NAMES } from './reserved-name.js'
import type { ErrorKind, RetryRule } from './retry-policy.js'

/** What may be said of one call: at its task, and again at the call, where it wins. */
export interface CallOptions {
  /** The body does not start before this long after the call: seconds, or a text such as `'10m'`. @defaultValue 0 */
  readonly delay?: Duration | undefined
  /** 0 to 9; among waiting calls of a queue a higher one starts sooner, where the broker can. @defaultValue 4 */
  readonly priority?: number | undefined
  /** The queue it waits in, `[A-Za-z0-9_-]`, 60 characters at most; a worker must consume it. @defaultValue 'default' */
  readonly queue?: string | undefined
  /** Words to find the call by, 50 at most. @defaultValue [] */
  readonly tags?: readonly string[] | undefined
}

/**
 * Where a body runs: in the worker itself, in a thread of it, or in a process of its own. Threads and processes load the services
 * again: they have their own memory, module state and instances.
 */
export type Isolation = 'inline' | 'thread' | 'process'

/** What may be said of a task where it is declared. */
export interface TaskOptions extends CallOptions {
  /** The stable name in messages; give it when a build renames classes. @defaultValue `Class.method`, or the function's name */
  readonly name?: string | undefined
  /** Former names: messages that carry one still run. @defaultValue [] */
  readonly aliases?: readonly string[] | undefined
  /** The body answers a value that callers want: a plain call then waits for it. Without it the body must answer nothing. @defaultValue false */
  readonly result?: boolean | undefined
  /** Its state is recorded, for handles and `tasks`; without that a call costs less. @defaultValue true */
  readonly track?: boolean | undefined
  /** How long its state and result are kept after its end. @defaultValue the configured `keepCompleted` (1 d) and `keepFailed` (30 d) */
  readonly keep?: Duration | undefined
  /** The result can be read once: whoever asks after that is told that there is no such task. @defaultValue false */
  readonly resultOnce?: boolean | undefined
  /** How long a plain call waits for the value, before it rejects with `RESULT_TIMEOUT`. @defaultValue the configured `resultTimeout`, 30 s */
  readonly resultTimeout?: Duration | undefined
  /** Further runs after a body that threw. @defaultValue the configured `retries`, 0 */
  readonly retries?: number | undefined
  /** Wait before the first retry; it doubles with each, with full jitter, up to an hour. @defaultValue '1s' */
  readonly backoff?: Duration | undefined
  /** Answers whether an error deserves another run. @defaultValue every error does */
  readonly retryIf?: ((error: unknown) => boolean) | undefined
  /** Classes of errors, and codes that errors carry (`error.code`), that deserve no other run, whatever `retryIf` says. @defaultValue [] */
  readonly noRetryOn?: readonly ErrorKind[] | undefined
  /** Runs of this task at once, over all workers: 1 to 1000. @defaultValue as many as the workers run */
  readonly concurrency?: number | undefined
  /** Starts of this task, over all workers, evenly spaced: `'10/s'`, `'4/m'`, `'100/h'`, `'1000/d'`. @defaultValue no limit */
  readonly rate?: Rate | undefined
  /**
   * `concurrency` and `rate` hold for all calls for which this answers the same text, called with their arguments in the worker,
   * where `context()` is that of the caller: `(account: string) => account`. @defaultValue they hold for the whole task
   */
  readonly limitBy?: ((...args: never[]) => string) | undefined
  /**
   * How long one run may take before its signal aborts with `TASK_TIMEOUT`; 0: as long as it likes. A body that has not ended
   * `timeLimitGrace` after that is ended with its thread or process, and has failed. @defaultValue the configured `timeLimit`, none
   */
  readonly timeLimit?: Duration | undefined
  /**
   * Where the body runs. A thread keeps code that blocks from holding up the worker, a process also code that crashes.
   * @defaultValue the configured `worker.isolation`, `'inline'`
   */
  readonly isolation?: Isolation | undefined
  /**
   * Orders of this name are carried out by the task, which gets `(uuid, context)`: `'report'`, or `{ name: 'report', action: 'update' }`.
   * @defaultValue none
   */
  readonly order?: string | OrderOption | undefined
  /**
   * The classes of the parameters, where the compiler emits no metadata or the class stands inside a list: `() => [User, [Order]]`.
   * A function, so that classes declared further down can be named.
   */
  readonly params?: (() => readonly unknown[]) | undefined
}

/** {@link CallOptions} with every default filled in. */
export interface ResolvedCallOptions {
  readonly delayMs: number
  readonly priority: number
  readonly queue: string
  readonly tags: readonly string[]
}

/** {@link TaskOptions} with every default filled in, frozen; `undefined` where the configuration decides. */
export interface ResolvedTaskOptions extends ResolvedCallOptions {
  readonly name: string | undefined
  readonly aliases: readonly string[]
  readonly result: boolean
  readonly track: boolean
  readonly keepMs: number | undefined
  readonly resultOnce: boolean
  readonly resultTimeoutMs: number | undefined
  readonly retry: RetryRule
  /** `undefined` where nothing limits it. */
  readonly limits: LimitRule | undefined
  readonly timeLimitMs: number | undefined
  readonly isolation: Isolation | undefined
  readonly order: ResolvedOrderOption | undefined
  readonly params: (() => readonly unknown[]) | undefined
}

const CALL_DEFAULTS = { delay: 0, priority: 4, queue: 'default', tags: [] }
const RUN_KEYS = ['retries', 'backoff', 'retryIf', 'noRetryOn', 'concurrency', 'rate', 'limitBy', 'timeLimit', 'isolation']
const TASK_KEYS = ['name', 'aliases', 'result', 'resultTimeout', 'track', 'keep', 'resultOnce', 'params', 'order', ...RUN_KEYS]
const MOST_TAGS = 50
const LONGEST_TAG = 200
const ISOLATIONS: readonly unknown[] = ['inline', 'thread', 'process'] satisfies Isolation[]
const QUEUE_NAME = /^[A-Za-z0-9_-]{1,60}$/
const TASK_NAME = /^[^\s\p{C}]{1,120}$/u

/** @throws ErrandError `OPTION_INVALID` */
export function resolveTaskOptions(given: TaskOptions, where = '@asyncTask'): ResolvedTaskOptions {
  refuseUnknownKeys(where, given, [...Object.keys(CALL_DEFAULTS), ...TASK_KEYS])
  const { name, aliases = [], result = false, resultTimeout, retries, backoff = '1s', retryIf, noRetryOn = [], params, ...rest } = given
  const { concurrency, rate, limitBy, timeLimit, isolation, order, track = true, keep, resultOnce = false, ...call } = rest
  if (name !== undefined && !isTaskName(name)) refuse(where, 'name', `a text of 1 to 120 characters without spaces, not beginning with "${RESERVED_NAMES}"`, name)
  if (!isListOfTaskNames(aliases)) refuse(where, 'aliases', `a list of former names, such as ['Mail.send']`, aliases)
  if (typeof result !== 'boolean') refuse(where, 'result', 'true or false', result)
  if (typeof resultOnce !== 'boolean') refuse(where, 'resultOnce', 'true or false', resultOnce)
  if (typeof track !== 'boolean') refuse(where, 'track', 'true or false', track)
  if (retries !== undefined && !(Number.isInteger(retries) && retries >= 0)) {
    refuse(where, 'retries', 'a whole number from 0 up (a task that fails for ever has to end some time)', retries)
  }
  if (retryIf !== undefined && typeof retryIf !== 'function') refuse(where, 'retryIf', 'a function', retryIf)
  if (!isListOfErrorKinds(noRetryOn)) {
    refuse(where, 'noRetryOn', 'a list of error classes and codes, such as [RangeError, "EACCES"]', noRetryOn)
  }
  if (isolation !== undefined && !ISOLATIONS.includes(isolation)) refuse(where, 'isolation', `'inline', 'thread' or 'process'`, isolation)
  if (params !== undefined && typeof params !== 'function') refuse(where, 'params', 'a function such as () => [User]', params)
  return Object.freeze({
    ...resolveCallOptions(call, undefined, where),
    name,
    aliases: Object.freeze([...aliases]),
    result,
    track,
    resultOnce,
    keepMs: keep === undefined ? undefined : toMs(keep, `${where} keep`),
    resultTimeoutMs: resultTimeout === undefined ? undefined : toMs(resultTimeout, `${where} resultTimeout`),
    retry: Object.freeze({ retries, backoffMs: toMs(backoff, `${where} backoff`), retryIf, noRetryOn: Object.freeze([...noRetryOn]) }),
    limits: resolveLimits({ concurrency, rate, limitBy }, where),
    timeLimitMs: timeLimit === undefined ? undefined : toMs(timeLimit, `${where} timeLimit`),
    isolation,
    order: order === undefined ? undefined : resolveOrderOption(order, `${where} order`),
    params,
  })
}

/** Options of one call over those of its task. @throws ErrandError `OPTION_INVALID` */
export function resolveCallOptions(given: CallOptions, task: ResolvedCallOptions | undefined, where: string): ResolvedCallOptions {
  refuseUnknownKeys(where, given, Object.keys(CALL_DEFAULTS))
  const { delay, priority, queue, tags } = withoutUndefined(given)
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 0 && priority <= 9)) {
    refuse(where, 'priority', 'a whole number from 0 to 9', priority)
  }
  if (queue !== undefined && !(typeof queue === 'string' && QUEUE_NAME.test(queue))) {
    refuse(where, 'queue', 'up to 60 letters, digits, "-" and "_"', queue)
  }
  if (tags !== undefined && !isListOfTags(tags)) refuse(where, 'tags', `a list of up to ${MOST_TAGS} texts of 1 to ${LONGEST_TAG} characters`, tags)
  return Object.freeze({
    delayMs: delay === undefined ? (task?.delayMs ?? CALL_DEFAULTS.delay) : toMs(delay, `${where} delay`),
    priority: priority ?? task?.priority ?? CALL_DEFAULTS.priority,
    queue: queue ?? task?.queue ?? CALL_DEFAULTS.queue,
    tags: tags === undefined ? (task?.tags ?? CALL_DEFAULTS.tags) : Object.freeze([...tags]),
  })
}

const isListOfTags = (given: unknown): boolean =>
  Array.isArray(given) && given.length <= MOST_TAGS && given.every((tag) => typeof tag === 'string' && tag !== '' && tag.length <= LONGEST_TAG)

const isTaskName = (given: unknown): boolean => typeof given === 'string' && TASK_NAME.test(given) && !isReservedName(given)

const isListOfTaskNames = (given: unknown): boolean => Array.isArray(given) && given.every(isTaskName)

const isListOfErrorKinds = (given: unknown): boolean =>
  Array.isArray(given) && given.every((kind) => (typeof kind === 'string' ? kind !== '' : isClass(kind)))

/** Whether `instanceof` can ask it: an arrow function throws there, in the middle of a failure. */
const isClass = (given: unknown): boolean => typeof given === 'function' && typeof given.prototype === 'object'

function refuse(where: string, option: string, wanted: string, got: unknown): never {
  throw new ErrandError('OPTION_INVALID', `${where} ${option} must be ${wanted}, got ${show(got)}.`)
}
