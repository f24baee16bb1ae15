/** How the task of the fault suite is to behave. */
export interface How {
  /** How long it takes. @defaultValue 0 */
  readonly ms?: number
  /** It fails so many times before it succeeds. Needs the task `retried`. @defaultValue 0 */
  readonly failures?: number
  /** Its first run never gives up its thread for so long. @defaultValue 0 */
  readonly blockMs?: number
  /** It kills its process, each time. @defaultValue false */
  readonly isPoison?: boolean
}

/** Calls that a server process is to make: `<prefix>0` to `<prefix><count - 1>`. */
export interface DispatchOrder {
  readonly do: 'dispatch'
  /** Names the batch in the answer. */
  readonly batch: number
  readonly task: 'work' | 'retried' | 'keyed'
  readonly prefix: string
  readonly count: number
  /** Calls in a second, at most. */
  readonly perSecond: number
  /** Calls that are not settled, at most: a server that waits for its calls does not pile up more. */
  readonly inFlight: number
  readonly how: How
  /** Seconds to wait, chosen by the number of the call: each one gets the next of the list. @defaultValue none */
  readonly delaysMs?: readonly number[]
  readonly queue?: string
  /** Queues that the calls take turns in; instead of `queue`. */
  readonly queues?: readonly string[]
}

export type ServerOrder = DispatchOrder | { readonly do: 'enough'; readonly batch: number } | { readonly do: 'stop' }

export type ServerNews =
  | { readonly is: 'ready' }
  | { readonly is: 'dispatched'; readonly batch: number }
  | UsageNews

export type WorkerNews = { readonly is: 'consuming' } | UsageNews

/** What a process has in use, told every second. */
export interface Usage {
  readonly rssMb: number
  /** Sockets, timers, requests under way: what keeps an event loop busy. */
  readonly resources: number
  /** Of these, how many of each kind. */
  readonly kinds: Readonly<Record<string, number>>
}

export type UsageNews = Usage & { readonly is: 'usage' }

/** What runs of the task `keyed` are kept apart by. */
export const keyOf = (id: string): string => id.slice(-1)
