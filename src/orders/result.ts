import { decodeValue } from '../core/codec/decode.js'
import { ordersApp } from './app.js'

/** The value of a completed order, as JSON shows it; `undefined` where there is none, it may be read only once, or JSON has no form for it. */
export async function resultOf(uuid: string): Promise<unknown> {
  const { tracking } = await ordersApp()
  const record = await tracking.store.find({ id: uuid })
  if (record?.state !== 'completed' || record.isReadOnce === true || record.result === undefined || record.result === '') return undefined
  try {
    const text = JSON.stringify(decodeValue(record.result))
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined // of a class that this process does not know, or with a loop or a BigInt in it
  }
}
