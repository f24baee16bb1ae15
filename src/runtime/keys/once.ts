import type { TaskState } from '../../core/lifecycle.js'
import { show } from '../../core/options.js'
import { ErrandError } from '../../errors.js'
import { UNFINISHED } from '../../store/store.js'
import type { OneFlight } from '../tracking/tracking.js'

/** Which tasks of a key a call joins: those that have not ended, or also those that completed. */
export type Join = 'running' | 'completed'

const LONGEST_KEY = 512
/** Keys of this library. */
const RESERVED = ['schedule:', 'follow-up:']

const JOINED: Readonly<Record<Join, readonly TaskState[]>> = { running: UNFINISHED, completed: [...UNFINISHED, 'completed'] }

/** What a call with a key joins; `undefined` without one. @throws ErrandError `OPTION_INVALID` */
export function resolveOnce(where: string, { key, join }: { readonly key: string | undefined; readonly join: Join | undefined }): OneFlight | undefined {
  if (join !== undefined && !Object.hasOwn(JOINED, join)) {
    throw new ErrandError('OPTION_INVALID', `${where} join must be 'running' or 'completed', got ${show(join)}.`)
  }
  if (key === undefined && join !== undefined) {
    throw new ErrandError('OPTION_INVALID', `${where} join says which task of a key is joined, and there is no key. Give both, or neither.`)
  }
  return key === undefined ? undefined : { key: checkedKey(where, key), join: JOINED[join ?? 'running'] }
}

/** @throws ErrandError `OPTION_INVALID` */
export function checkedKey(where: string, key: string): string {
  if (typeof key !== 'string' || key === '' || key.length > LONGEST_KEY) {
    const got = typeof key === 'string' ? `${key.length} characters` : show(key)
    throw new ErrandError('OPTION_INVALID', `${where} key must be a text of 1 to ${LONGEST_KEY} characters, got ${got}.`)
  }
  const reserved = RESERVED.find((start) => key.startsWith(start))
  if (reserved === undefined) return key
  throw new ErrandError('OPTION_INVALID', `${where} key must not begin with "${reserved}": such keys are those of this library. Choose another.`)
}
