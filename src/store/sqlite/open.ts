import { systemClock, type Clock } from '../../core/clock.js'
import { silentLogger, type Logger } from '../../core/logger.js'
import { refuseUnknownKeys, show, withoutUndefined } from '../../core/options.js'
import { ErrandError } from '../../errors.js'
import { Bell } from '../../sqlite/bell.js'
import { Room } from '../../sqlite/room.js'
import { storeFailure } from './failure.js'
import { STORE_SCHEMA } from './schema.js'
import { SqliteStore } from './store.js'

export interface SqliteStoreOptions {
  /**
   * Path of the file, made where there is none, for this user alone; it may be the file of the embedded queue. A second file of that
   * name with `-states` stands beside it. Or a room that has it open already, with its durability; the store takes a share of it.
   */
  readonly file: string | Room
  /** Keeps the tasks of several services in one file apart. @defaultValue '' */
  readonly namespace?: string | undefined
  /**
   * `full`: what was recorded survives a power cut. `normal`: it survives the end of every process, but the last changes may be lost
   * when the machine stops. @defaultValue 'full'
   */
  readonly durability?: 'full' | 'normal' | undefined
  /** Where time comes from. @defaultValue the system's clock */
  readonly clock?: Clock | undefined
  /** Hears of failures in the background. @defaultValue says nothing */
  readonly log?: Logger | undefined
}

const DEFAULTS = { namespace: '', durability: 'full', clock: systemClock, log: silentLogger } as const

/**
 * Opens the store of task states in an SQLite file that all processes of one machine share, without a server.
 * @throws ErrandError `OPTION_INVALID`, `PACKAGE_MISSING`, `DRIVER_UNSUPPORTED`, `STORE_REFUSED` when the file cannot be written,
 * `STORE_UNREACHABLE`
 */
export async function openSqliteStore(given: SqliteStoreOptions): Promise<SqliteStore> {
  const { file, namespace, durability, clock, log } = resolve(given)
  try {
    const room = file instanceof Room ? file.share() : await Room.open({ file, durability, clock })
    try {
      await room.migrate(STORE_SCHEMA)
      return new SqliteStore({ room, bell: new Bell(`${room.file}-states`), namespace, clock, log })
    } catch (error) {
      await room.leave()
      throw error
    }
  } catch (error) {
    throw storeFailure(error)
  }
}

function resolve(given: SqliteStoreOptions) {
  refuseUnknownKeys('openSqliteStore', given, ['file', ...Object.keys(DEFAULTS)])
  const options = { ...DEFAULTS, ...withoutUndefined(given) }
  if (options.file === '' || !(typeof options.file === 'string' || options.file instanceof Room)) {
    throw new ErrandError('OPTION_INVALID', `The SQLite store needs the path of its file, got ${show(given.file)}.`)
  }
  if (options.durability !== 'full' && options.durability !== 'normal') {
    throw new ErrandError('OPTION_INVALID', `The durability must be 'full' or 'normal', got ${show(given.durability)}.`)
  }
  return Object.freeze(options)
}
