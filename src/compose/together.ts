import type { Config } from '../../config/config.js'
import type { Broker } from '../broker/broker.js'
import type { Clock } from '../core/clock.js'
import type { Logger } from '../core/logger.js'
import type { OneFile } from '../runtime/tracking/one-file.js'
import type { Store } from '../store/store.js'
import { openEmbeddedBroker } from './broker.js'
import { oneFileOf } from './one-file.js'
import { openWithOutbox } from './outbox.js'
import { openEmbeddedStore, openPatientStore } from './store.js'

/** What a process works with, and how a call is queued and known. */
export interface Opened {
  readonly broker: Broker
  readonly store: Store | undefined
  /** Absent where they are two systems. */
  readonly oneFile?: OneFile | undefined
}

/** Opens the broker and the store. In one file they share it, so that a call is queued and known, or neither. */
export async function openTogether(config: Config, using: { readonly log: Logger; readonly clock: Clock }): Promise<Opened> {
  if (shareOneFile(config)) return openInOneRoom(config, using)
  const broker = await openWithOutbox(config, using.log, using.clock)
  try {
    return { broker, store: await openPatientStore(config, using.log, using.clock) }
  } catch (error) {
    await broker.close()
    throw error
  }
}

const shareOneFile = ({ broker, store }: Config): boolean => broker.kind === 'sqlite' && store.kind === 'sqlite' && broker.file === store.file

async function openInOneRoom(config: Config, using: { readonly log: Logger; readonly clock: Clock }): Promise<Opened> {
  const { Room } = await import('../sqlite/room.js')
  const { broker: of } = config
  const place = of.kind === 'sqlite' ? of : { file: '', durability: 'full' as const }
  const room = await Room.open({ file: place.file, durability: place.durability, clock: using.clock })
  let broker: Broker | undefined
  try {
    const queue = (broker = await openEmbeddedBroker(config, room, using))
    const store = await openEmbeddedStore(config, room, using)
    return { broker, store, oneFile: oneFileOf(store, queue) }
  } catch (error) {
    await broker?.close()
    throw error
  } finally {
    // the parts hold shares of their own
    await room.leave()
  }
}
