import type { Email } from './payload.js'

/** Where a system works in one round: its servers, and names and a folder that nobody else uses. */
export interface Place {
  readonly urls: Readonly<Partial<Record<ServerKind, string>>>
  /** A name for its queue, fresh in every round. */
  readonly name: string
  /** A folder of its own, empty at first, the same for caller and worker. */
  readonly folder: string
}

export type ServerKind = 'rabbitmq' | 'redis' | 'redis-aof' | 'postgres'

/** One way to run work in the background, as the bench drives it. Caller and worker live in a process each. */
export interface System {
  readonly name: string
  /** The server it needs; without one it works on a file. */
  readonly server?: ServerKind
  /** The server of its states, where that is a further one: both count as its server. */
  readonly store?: ServerKind
  /** The yardstick whose figures of the same round it is divided by. */
  readonly yardstick: 'raw-rabbitmq' | 'raw-sqlite'
  /** How it is set up, for the report. */
  readonly setting: string
  /** The most tasks it is given at once, where as many as the others get would take it hours. */
  readonly most?: number
  /** The oldest Node that its processes run on, where that is newer than the oldest of Errand. */
  readonly oldestNode?: `${number}.${number}`
  /** Its packages in bench/peers, which have to be installed first: `npm run bench -- --peers`. Only peers have some. */
  readonly packages?: readonly string[]
  /** Why it cannot be measured here; `undefined` where it can. */
  refusal?(): string | undefined
  openCaller(place: Place): Promise<Caller>
  /** Resolves once it takes tasks. Every run of a task calls `body` with the data and the id of the user it came with. */
  startWorker(place: Place, body: Body): Promise<Closing>
  /** Its own work in one process without a broker. Missing where it cannot be taken apart. */
  openParts?(place: Place): Promise<Parts>
}

/** What the worker of every system runs: it checks what arrived, counts, and answers. */
export type Body = (email: Email, userId: string | undefined) => Promise<string>

/** Pieces of work by the name that the tables have for them; each does it once, for the task of a number. They run in this order. */
export interface Parts extends Closing {
  readonly all: Readonly<Record<string, (number: number) => unknown>>
}

export interface Closing {
  close(): Promise<void>
}

/** The side that asks for work. */
export interface Caller extends Closing {
  /** Sends `count` tasks, at most `inFlight` unconfirmed. Resolves once all of them are as durable as the system makes them. */
  dispatch(count: number, inFlight: number): Promise<void>
  /** Sends one task and resolves to what its body returned. Missing where the system has no results. */
  result?(number: number): Promise<unknown>
}

/** `dispatch` for a system that sends one task with one promise. */
export async function inTurns(count: number, inFlight: number, send: (number: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const loop = async (): Promise<void> => {
    while (next < count) await send(next++)
  }
  await Promise.all(Array.from({ length: Math.min(count, inFlight) }, loop))
}
