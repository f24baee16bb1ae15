import { ErrandError } from '../errors.js'
import { refuseUnknownKeys, show, withoutUndefined } from '../core/options.js'

export type IsolationLevel = 'read committed' | 'repeatable read' | 'serializable'

export interface TransactionPerTaskOptions {
  /** What the transaction sees of others. @defaultValue that of the database */
  readonly isolation?: IsolationLevel | undefined
  /** The tasks that run in a transaction: their names (`MailService.report`), or a function that answers for a name. @defaultValue all */
  readonly tasks?: readonly string[] | ((task: string) => boolean) | undefined
  /** Calls that the body makes are sent when its transaction commits; needs the key `database`. @defaultValue false: sent at once */
  readonly sendOnCommit?: boolean | undefined
}

export interface ResolvedTransactionOptions {
  readonly isolation: IsolationLevel | undefined
  readonly tasks: (task: string) => boolean
  readonly sendOnCommit: boolean
}

const LEVELS: readonly unknown[] = ['read committed', 'repeatable read', 'serializable'] satisfies IsolationLevel[]

/** @throws ErrandError `OPTION_INVALID` */
export function resolveTransactionOptions(given: TransactionPerTaskOptions): ResolvedTransactionOptions {
  refuseUnknownKeys('transactionPerTask()', given, ['isolation', 'tasks', 'sendOnCommit'])
  const { isolation, tasks = () => true, sendOnCommit = false } = withoutUndefined(given)
  if (isolation !== undefined && !LEVELS.includes(isolation)) refuse('isolation', LEVELS.map(show).join(', '), isolation)
  if (typeof tasks !== 'function' && !Array.isArray(tasks)) refuse('tasks', 'names of tasks, or a function', tasks)
  if (typeof sendOnCommit !== 'boolean') refuse('sendOnCommit', 'true or false', sendOnCommit)
  return { isolation, tasks: typeof tasks === 'function' ? tasks : namedIn(tasks), sendOnCommit }
}

/** Whether `task` runs in a transaction. */
export const runsIn = ({ tasks }: ResolvedTransactionOptions, task: string): boolean => tasks(task)

/** What follows `BEGIN`. */
export const isolationOf = ({ isolation }: ResolvedTransactionOptions): string =>
  isolation === undefined ? '' : ` ISOLATION LEVEL ${isolation.toUpperCase()}`

export function notInTransaction(what: string): never {
  throw new ErrandError(
    'NOT_IN_TASK',
    `${what} was called where no transactionPerTask() has begun a transaction: outside a task, in one that "tasks" leaves out, or where ` +
      'bodies run inline.',
  )
}

function namedIn(tasks: readonly string[]): (task: string) => boolean {
  const names = new Set(tasks)
  return (task) => names.has(task)
}

function refuse(option: string, wanted: string, got: unknown): never {
  throw new ErrandError('OPTION_INVALID', `transactionPerTask() ${option} must be ${wanted}, got ${show(got)}.`)
}
