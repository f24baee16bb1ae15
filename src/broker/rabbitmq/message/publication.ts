import type { Options } from 'amqplib'
import type { OutgoingMessage } from '../../broker.js'
import { delayRoute, wordOf } from '../topology/delay.js'
import type { Topology } from '../topology/topology.js'

/** The priority every message has that does not ask for another. */
export const NORMAL_PRIORITY = 4

/** A message of the port, and what only this driver adds to its copies. */
export interface Publication extends OutgoingMessage {
  /** Of the attempts, those that ended with the loss of the process. @defaultValue 0 */
  readonly crashes?: number | undefined
  /** Why it is moved to the dead-letter queue. */
  readonly note?: string | undefined
  /** It is no message to be run, but one that looks after a run. */
  readonly watch?: Watch | undefined
}

/** What a watch copy says of the run that it looks after. */
export interface Watch {
  /** Part of the names of the run's markers. */
  readonly key: string
  /** `looking` for the runner; it was `missing` the last time; or the run is over and its end marker is to be `cleared`. */
  readonly state: 'looking' | 'missing' | 'cleared'
}

/** Where a publication goes and what must stand for that. */
export interface Route {
  /** Messages of one lane need the same things on the server and keep their order. */
  readonly lane: string
  readonly exchange: string
  readonly routingKey: string
  /** The highest delay level it passes; none when it is not delayed. */
  readonly level: number | undefined
}

export function routeOf(publication: Publication, topology: Topology): Route {
  const { queue, delayMs = 0, toTemporary = false } = publication
  if (toTemporary) return { lane: `temporary ${queue}`, exchange: '', routingKey: topology.temporaryNameOf(queue), level: undefined }
  if (delayMs <= 0) return { lane: queue, exchange: '', routingKey: topology.nameOf(queue), level: undefined }
  const { level, routingKey } = delayRoute(delayMs, wordOf(queue))
  return { lane: `${level} ${queue}`, exchange: topology.levelName(level), routingKey, level }
}

/** The properties of the AMQP message. Headers only where they say more than the defaults: they cost on both sides. */
export function propertiesOf(publication: Publication): Options.Publish {
  const { id, attempt = 1, crashes = 0, note, priority, toTemporary, watch } = publication
  const properties: Options.Publish = { messageId: id, mandatory: true, persistent: toTemporary !== true }
  if (priority !== undefined && priority !== NORMAL_PRIORITY) properties.priority = priority
  if (attempt > 1 || crashes > 0 || note !== undefined || watch !== undefined) {
    properties.headers = {
      attempt,
      crashes,
      ...(note === undefined ? {} : { note: shortened(note) }),
      ...(watch === undefined ? {} : { watch: watch.key, 'watch-state': watch.state }),
    }
  }
  return properties
}

/** Header tables hold 64 KiB in all. */
const LONGEST_NOTE = 8000

const shortened = (note: string): string => (note.length > LONGEST_NOTE ? `${note.slice(0, LONGEST_NOTE)}…` : note)
