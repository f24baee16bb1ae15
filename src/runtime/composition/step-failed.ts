import { ErrandError } from '../../errors.js'
import { bareError } from '../bare-error.js'

/** Why `task` is not run: the one before it failed. One that was itself not run for that tells of the first. */
export function stepFailed(task: string, before: { readonly id: string; readonly task: string }, error: unknown): ErrandError {
  if (error instanceof ErrandError && error.code === 'STEP_FAILED') {
    return new ErrandError('STEP_FAILED', `${task}${error.message.slice(error.message.indexOf(WAS_NOT_RUN))}`, { cause: error.cause })
  }
  const why = error instanceof Error ? `: ${error.message}` : '.'
  return new ErrandError('STEP_FAILED', `${task}${WAS_NOT_RUN}${before.task} (id ${before.id}), failed${why}`, { cause: error })
}

const WAS_NOT_RUN = ' was not run: a step before it, '

/** A follow-up is promised an error, whatever was thrown. */
export const asError = (task: string, error: unknown): Error => (error instanceof Error ? error : bareError(task, error))
