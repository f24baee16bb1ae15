import { createHash } from 'node:crypto'
import type { Delivery } from '../broker/broker.js'
import type { Context } from '../core/context.js'
import type { OpenedCall } from '../core/message.js'
import type { FailureReport } from '../core/report.js'
import type { Task } from '../core/task.js'
import type { Runtime } from './runtime.js'
import { traceOf } from './trace.js'
import type { TrackedRun } from './tracking/tracked-run.js'

/** A run that did not end well; what is known depends on how far it came. */
export interface FailedRun {
  readonly delivery: Delivery
  readonly call: OpenedCall | undefined
  readonly task: Task | undefined
  /** Where its run was written down as begun. */
  readonly tracked?: TrackedRun | undefined
  readonly error: unknown
  readonly startedAt: number
}

/** Logs a failed run and hands it to the error reporter; a reporter that fails itself is logged and harms nothing. */
export async function reportFailure(runtime: Runtime, failed: FailedRun, status: 'failed' | 'retrying'): Promise<void> {
  const name = failed.call?.task ?? 'A message'
  const title = `${name} ${status === 'failed' ? 'failed' : 'failed and will be tried again'} (attempt ${failed.delivery.attempt})`
  const user = userId(failed.call?.context)
  runtime.log.error(`${title}, id ${failed.delivery.id}${user === undefined ? '' : `, user ${user}`}: ${traceOf(failed.error)}`)
  if (isCallersMistake(failed.error)) return
  try {
    await runtime.report(failureReport(runtime, failed, { title, status, user }))
  } catch (error) {
    runtime.log.error(`The error reporter failed: ${traceOf(error)}`)
  }
}

/** Errors that carry an HTTP status below 500 are answers to the caller, not defects. */
function isCallersMistake(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const status: unknown = Reflect.get(error, 'status') ?? Reflect.get(error, 'statusCode')
  return typeof status === 'number' && status >= 400 && status < 500
}

function failureReport(
  runtime: Runtime,
  { delivery, call, error, startedAt }: FailedRun,
  { title, status, user }: { title: string; status: 'failed' | 'retrying'; user: string | undefined },
): FailureReport {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  const data = {
    fatal: status === 'failed',
    id: delivery.id,
    attempt: delivery.attempt,
    startedAt,
    endedAt: runtime.clock.now(),
    status,
    ...(call === undefined ? {} : { task: call.task, arguments: argumentTypes(call) }),
    ...(typeof code === 'string' ? { code } : {}),
    ...(user === undefined ? {} : { userId: user }),
    ...(call?.context?.url === undefined ? {} : { request: `${call.context.method ?? ''} ${call.context.url.replace(/[?#].*$/, '')}`.trim() }),
  }
  return { title, error, data }
}

/** The kinds of the arguments; their values are nobody's business but the task's. */
function argumentTypes(call: OpenedCall): readonly string[] {
  try {
    return call.readArguments().map((value) => {
      if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
      return value.constructor?.name ?? 'object'
    })
  } catch {
    return []
  }
}

/** Enough for the ids in use; what is longer is told apart by its end, which stands for the whole. */
const LONGEST_ID = 100

/** The id of a user as logs and stores have it. */
export function keptId(id: string): string {
  if (id.length <= LONGEST_ID) return id
  const whole = createHash('sha256').update(id).digest('base64url')
  return `${id.slice(0, LONGEST_ID - whole.length - 1)}~${whole}`
}

/** The id of the user who asked, for logs and stores. */
export function userId(context: Context | undefined): string | undefined {
  const user: unknown = context?.user
  if (typeof user !== 'object' || user === null) return undefined
  const id: unknown = Reflect.get(user, 'id')
  return typeof id === 'string' || typeof id === 'number' ? keptId(String(id)) : undefined
}
