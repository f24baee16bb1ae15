import { newTaskId } from '../../core/clock.js'
import { encodeArguments } from '../../core/codec/encode.js'
import type { FollowGroup, FollowOn, FollowUp } from '../../core/follow-up.js'
import { registry } from '../../core/registry.js'
import { ErrandError } from '../../errors.js'
import { interceptCall } from '../intercept.js'
import type { Follower, TaskCall } from '../task-call.js'
import { createPlaceholder, type Placeholder } from './placeholder.js'

/** What is said of a call that is to follow another. */
export interface Following {
  /** How the call before must end. */
  readonly on: FollowOn
  /**
   * Calls one task, and gets what stands for the outcome: the value after `completed`, the error after `failed`, and after `ended` an
   * {@link Ended}.
   */
  readonly call: (outcome: never) => unknown
}

/** What a follow-up of any end is given. */
export interface Ended {
  readonly id: string
  readonly task: string
  readonly state: 'completed' | 'failed' | 'cancelled'
  /** Of a completed task. */
  readonly value?: unknown
  /** Of one that failed or was cancelled. */
  readonly error?: Error
}

const WORDS: Readonly<Record<FollowOn, string>> = {
  completed: 'the result of the task before',
  failed: 'the error of the task before',
  ended: 'the end of the task before',
}

/**
 * Holds up the one call that each of `list` makes.
 * @throws ErrandError `CALL_INVALID`, `PLACEHOLDER_READ`, `OPTION_INVALID`
 */
export function holdFollowers(where: string, list: readonly Following[]): readonly Follower[] {
  return list.map((following) => holdFollower(where, following))
}

/** The same for one, with what follows that. */
export function holdFollower(where: string, { on, call }: Following, next: readonly Follower[] = []): Follower {
  if (typeof call !== 'function') throw new ErrandError('CALL_INVALID', `${where} takes a function that calls one task, such as (result) => mail.send(result).`)
  const placeholder = createPlaceholder(WORDS[on])
  const held = intercept(where, call, placeholder)
  const { task } = held
  const id = newTaskId()
  return {
    on,
    id,
    call: held,
    options: held.options ?? task.declaration.options,
    placeholder,
    args: encodedNow(held, placeholder.stand),
    next: [...(held.followers ?? []), ...next],
  }
}

/** Where to send the outcomes of follow-ups, by their ids. */
export type ReplyTo = (id: string) => string | undefined

/** Follow-ups as they travel. @throws ErrandError `VALUE_UNSERIALIZABLE` */
export function followUpsOf(followers: readonly Follower[], replyTo: ReplyTo = nobody, group?: FollowGroup): readonly FollowUp[] {
  return followers.map(({ on, id, call, options, args, next }) => ({
    on,
    id,
    task: call.task.name,
    args: args(),
    options,
    replyTo: replyTo(id),
    group,
    next: followUpsOf(next, replyTo),
  }))
}

const nobody = (): undefined => undefined

function intercept(where: string, call: Following['call'], placeholder: Placeholder): TaskCall {
  try {
    return interceptCall(where, () => call(placeholder.stand as never)).call // it stands for whatever is expected there
  } catch (error) {
    throw placeholder.misuse() ?? error
  }
}

/** Whoever sends it hears of what cannot travel; a body that runs here needs no encoding. */
function encodedNow({ task, args }: TaskCall, stand: object): () => string {
  registry.adoptParameterTypes()
  try {
    const text = encodeArguments(args, `Cannot send ${task.name}`, stand)
    return () => text
  } catch (error) {
    return () => {
      throw error
    }
  }
}
