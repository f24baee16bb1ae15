import type { ConfigInput } from 'errand'
import type { ClusterOptions, RabbitCluster } from '../kit/rabbit-cluster.js'
import type { RabbitNode } from '../kit/rabbit-node.js'
import type { Scope } from '../kit/temporary.js'
import type { Counts } from './counts.js'
import type { Fleet } from './fleet.js'
import type { Random } from './random.js'

/** One row of the fault matrix. */
export interface Row {
  /** `F1`, or a word. */
  readonly id: string
  /** The fault, in a few words. */
  readonly title: string
  /** `partitions` are three nodes with networks of their own, which takes Linux and root; `nothing` runs on the embedded queue. */
  readonly needs: 'rabbitmq' | 'cluster' | 'partitions' | 'nothing'
  /** Needs a disk of its own that can be full: Linux and root. @defaultValue false */
  readonly needsDisk?: boolean
  /** Among those that continuous integration repeats: one of each kind, and soon over. @defaultValue false */
  readonly isBrief?: boolean
  /** Too long for the short form. @defaultValue false */
  readonly isOnlyLong?: boolean
  /** Runs the fault and answers what became of the calls. A row of its own making may leave counts at zero. */
  run(context: RowContext): Promise<Counts>
}

/** What a row works with. Everything it opens here is closed by the runner. */
export interface RowContext {
  readonly scope: Scope
  /** Where processes write; kept when the row fails. */
  readonly folder: string
  readonly random: Random
  /** The full size. */
  readonly isLong: boolean
  /** Whether the servers are of 4.x. */
  readonly isRecent: boolean
  /** `short` in the short form, `long` in the long one. */
  size<T>(short: T, long: T): T
  /** A line of the schedule: what is done now, and when. */
  step(text: string): void
  /** Something worth a word in the table. */
  note(text: string): void
  /** A criterion of this row. */
  expect(isMet: boolean, text: string): void
  /** One server of its own. `advanced` is an Erlang term for `advanced.config`. */
  node(advanced?: string): Promise<RabbitNode>
  cluster(options?: Pick<ClusterOptions, 'partitions' | 'advanced'>): Promise<RabbitCluster>
  /** An application. `config` says where its queue is. */
  fleet(config: ConfigInput): Fleet
}

/** Waits, as a part of the fault and never for something to happen. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** The broker section for these nodes, with times that fit tests. */
export const brokerAt = (urls: readonly string[], more: object = {}): ConfigInput => ({
  broker: { urls: [...urls], heartbeat: '4s', confirmTimeout: '60s', ...more },
})

/** Delayed messages would stand still for three minutes after a broker crash; see docs/operating.md. */
export const QUICK_DEAD_LETTERS = '[{rabbit,[{dead_letter_worker_publisher_confirm_timeout,3000}]}].'

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
