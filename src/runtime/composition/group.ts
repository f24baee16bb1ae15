import { givenAll, memberId, type FollowUp } from '../../core/follow-up.js'
import { ErrandError } from '../../errors.js'
import { UNFINISHED } from '../../store/store.js'
import { NOT_KEPT } from '../tracking/tracked-run.js'
import type { Tracking } from '../tracking/tracking.js'

/** The encoded value of a body that answers nothing. */
const NOTHING = '{"$":"undef"}'

/**
 * What answers the results of a group, one member of which just completed, in the order of its members; `undefined` while not all of them
 * have completed: another member will ask again then.
 * @throws ErrandError `STORE_UNREACHABLE`, also where it could not be written down that this one completed: nobody would ask again then
 */
export async function groupText({ store }: Tracking, { id, group }: FollowUp, completed: string): Promise<(() => string) | undefined> {
  const own = await store.find({ id: completed })
  if (own === undefined ? group?.isKnown !== true : UNFINISHED.includes(own.state)) throw notWrittenDown(completed)
  const { records } = await store.search({ parentId: id, states: UNFINISHED, limit: 1 })
  if (records.length > 0) return undefined
  const texts: string[] = []
  let refusal: ErrandError | undefined
  for (let index = 0; index < (group?.size ?? 0); index++) {
    const member = memberId(id, index)
    const record = await store.find({ id: member })
    if (record === undefined && group?.isKnown === true) refusal = gone(member)
    else if (record?.state !== 'completed') return undefined
    else if (record.result === NOT_KEPT) refusal = notKept(member)
    else texts.push(record.result ?? NOTHING)
  }
  return () => {
    if (refusal !== undefined) throw refusal
    return givenAll(texts)
  }
}

const notWrittenDown = (id: string): ErrandError =>
  new ErrandError('STORE_UNREACHABLE', `The store does not know yet that task ${id} of a group completed. It is asked again when the message comes again.`)

const notKept = (id: string): ErrandError =>
  new ErrandError('RESULT_UNAVAILABLE', `Task ${id} of a group completed, and its result was not kept: it is larger than the store takes. Keep it elsewhere, and answer its id.`)

const gone = (id: string): ErrandError =>
  new ErrandError('RESULT_UNAVAILABLE', `The result of task ${id} of a group is not kept any more. Raise "keepCompleted", or the option "keep" of the task.`)
