import type { OpenedCall } from '../../core/message.js'
import { ErrandError } from '../../errors.js'
import type { Runtime } from '../runtime.js'
import { NOT_KEPT } from '../tracking/tracked-run.js'
import { valueText } from './call-end.js'
import { followCall } from './follow.js'

/** What follows a call that is known to have completed: its worker may have died before it sent that. Answers as {@link followCall}. */
export async function followCompleted(runtime: Runtime, call: OpenedCall): Promise<boolean> {
  if (call.next === undefined) return true
  const result = await resultOf(runtime, call)
  return result !== undefined && followCall(runtime, call, { kind: 'completed', text: result })
}

/** `undefined` where the store cannot be asked. */
async function resultOf({ tracking }: Runtime, call: OpenedCall): Promise<(() => string) | undefined> {
  try {
    const record = await tracking?.store.find({ id: call.id })
    if (record === undefined || record.result === NOT_KEPT) return () => refuse(call)
    return () => record.result ?? valueText(call, undefined)
  } catch {
    return undefined
  }
}

function refuse({ id, task }: OpenedCall): never {
  throw new ErrandError('RESULT_UNAVAILABLE', `The result of ${task} (id ${id}) was not kept, and its worker died before it was passed on. Keep large results elsewhere, and answer their ids.`)
}
