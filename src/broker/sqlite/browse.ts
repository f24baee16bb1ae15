import type { Delivery, OutgoingMessage, Visit } from '../broker.js'
import { deliveryOf, type ClaimedRow, type Ledger } from './ledger.js'

/** How many messages are read at a time; their bodies are in memory meanwhile. */
const PAGE = 50

/** What a look at a queue needs of its connection. */
export interface BrowseParts {
  readonly ledger: Ledger
  /** Runs a plain read. */
  readonly read: <T>(work: () => T) => Promise<T>
  /** Runs `work` in a transaction and resolves after its commit. */
  readonly write: <T>(work: () => T) => Promise<T>
  /** Stores a message; called inside a transaction. */
  readonly store: (message: OutgoingMessage) => void
}

/** Shows the due messages of a queue to `visit`, next one first, and carries out each answer in one transaction. */
export async function browse(
  { ledger, read, write, store }: BrowseParts,
  queue: { readonly name: string; readonly number: number },
  visit: (delivery: Delivery) => Visit | Promise<Visit>,
): Promise<void> {
  let last: ClaimedRow | undefined
  for (;;) {
    const rows = await read(() => ledger.page(queue.number, last, PAGE))
    for (const row of rows) {
      last = row
      const visited = await visit(deliveryOf(row, queue.name))
      if (visited.kind === 'stop') return
      if (visited.kind === 'keep') continue
      await write(() => {
        // somebody else took it in the meantime: then this answer is about nothing
        if (ledger.take(queue.number, row) && visited.kind === 'replace') store(visited.message)
      })
    }
    if (rows.length < PAGE) return
  }
}
