import type { Task } from '../core/task.js'
import type { ResolvedCallOptions } from '../core/task-options.js'
import type { FollowOn } from '../core/follow-up.js'
import type { Placeholder } from './composition/placeholder.js'

/** A call of a task, before it is decided what becomes of it. */
export interface TaskCall {
  readonly task: Task
  readonly self: unknown
  readonly args: readonly unknown[]
  /** What `enqueue()` or `background()` said of a call that something else held up. */
  readonly options?: ResolvedCallOptions | undefined
  readonly followers?: readonly Follower[] | undefined
}

/** A call that was held up, to follow another. */
export interface Follower {
  readonly on: FollowOn
  readonly id: string
  readonly call: TaskCall
  readonly options: ResolvedCallOptions
  readonly placeholder: Placeholder
  /** The arguments as they were when the call was held up. @throws ErrandError `VALUE_UNSERIALIZABLE` */
  readonly args: () => string
  readonly next: readonly Follower[]
}
