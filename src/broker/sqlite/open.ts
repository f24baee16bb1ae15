import { systemClock, type Clock } from '../../core/clock.js'
import { silentLogger, type Logger } from '../../core/logger.js'
import { refuseUnknownKeys, show, withoutUndefined } from '../../core/options.js'
import { ErrandError } from '../../errors.js'
import { Bell } from '../../sqlite/bell.js'
import { Room } from '../../sqlite/room.js'
import { SqliteBroker } from './broker.js'
import { BROKER_SCHEMA } from './schema.js'

export interface SqliteBrokerOptions {
  /**
   * Path of the file, made where there is none, for this user alone. A second file of that name with `-wake` stands beside it. Or a
   * room that has it open already, with its durability; the broker takes a share of it.
   */
  readonly file: string | Room
  /** Keeps the queues of several services in one file apart. @defaultValue '' */
  readonly namespace?: string | undefined
  /**
   * `full`: a published message survives a power cut. `normal`: it survives the end of every process, but the last ones may be
   * lost when the machine stops. @defaultValue 'full'
   */
  readonly durability?: 'full' | 'normal' | undefined
  /** Where time comes from. @defaultValue the system's clock */
  readonly clock?: Clock | undefined
  /** Hears of failures in the background. @defaultValue says nothing */
  readonly log?: Logger | undefined
}

const DEFAULTS = { namespace: '', durability: 'full', clock: systemClock, log: silentLogger } as const

/**
 * Opens the embedded broker: queues in one SQLite file, shared by all processes of one machine, without a server.
 *
 * An id published twice is two messages: which of two copies may go is for the caller to know, a broker would lose a dead
 * letter that is sent again while it is still in hand. A consumer of a lasting queue keeps its process alive until it is
 * stopped.
 *
 * @throws ErrandError `OPTION_INVALID`, `PACKAGE_MISSING`, `DRIVER_UNSUPPORTED`, `BROKER_REFUSED` when the file cannot be
 * written, `BROKER_UNREACHABLE`
 */
export async function openSqliteBroker(given: SqliteBrokerOptions): Promise<SqliteBroker> {
  const { file, namespace, durability, clock, log } = resolve(given)
  const room = file instanceof Room ? file.share() : await Room.open({ file, durability, clock })
  let bell: Bell | undefined
  try {
    await room.migrate(BROKER_SCHEMA)
    bell = new Bell(`${room.file}-wake`)
    const broker = new SqliteBroker({ namespace, clock, log, room, bell })
    await broker.reap()
    return broker
  } catch (error) {
    bell?.close()
    await room.leave()
    throw error
  }
}

function resolve(given: SqliteBrokerOptions) {
  refuseUnknownKeys('openSqliteBroker', given, ['file', ...Object.keys(DEFAULTS)])
  const options = { ...DEFAULTS, ...withoutUndefined(given) }
  if (options.file === '' || !(typeof options.file === 'string' || options.file instanceof Room)) {
    throw new ErrandError('OPTION_INVALID', `The SQLite broker needs the path of its file, got ${show(given.file)}.`)
  }
  if (options.durability !== 'full' && options.durability !== 'normal') {
    throw new ErrandError('OPTION_INVALID', `The durability must be 'full' or 'normal', got ${show(given.durability)}.`)
  }
  return Object.freeze(options)
}
