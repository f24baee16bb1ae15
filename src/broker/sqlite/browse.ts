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

interface Browsed {
  readonly name: string
  readonly number: number
}

type Visitor = (delivery: Delivery) => Visit | Promise<Visit>

/**
 * Shows the due messages of a queue to `visit`, next one first. What one answer changes is in one transaction; answers that come
 * soon after each other share it.
 */
export async function browse(parts: BrowseParts, queue: Browsed, visit: Visitor): Promise<void> {
  let last: ClaimedRow | undefined
  for (;;) {
    const rows = await parts.read(() => parts.ledger.page(queue.number, last, PAGE))
    last = rows.at(-1)
    const isOver = await browsePage(parts, queue, { rows, visit })
    if (isOver || rows.length < PAGE) return
  }
}

/** Answers whether the visitor has said stop. */
async function browsePage(
  { ledger, write, store }: BrowseParts,
  queue: Browsed,
  { rows, visit }: { readonly rows: readonly ClaimedRow[]; readonly visit: Visitor },
): Promise<boolean> {
  const changes: Promise<unknown>[] = []
  try {
    for (const row of rows) {
      const visited = await visit(deliveryOf(row, queue.name))
      if (visited.kind === 'stop') return true
      if (visited.kind === 'keep') continue
      const change = write(() => {
        // somebody else took it in the meantime: then this answer is about nothing
        if (ledger.take(queue.number, row) && visited.kind === 'replace') store(visited.message)
      })
      changes.push(change)
      // it is looked at below; until then a failure is nobody's
      change.catch(() => {})
    }
    return false
  } finally {
    await Promise.all(changes)
  }
}
