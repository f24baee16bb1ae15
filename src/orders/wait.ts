import { ordersApp } from './app.js'
import { findOrder } from './place.js'
import { hasEnded, type Order } from './order.js'

/** How long, and for whom. */
export interface Patience {
  readonly ms: number
  readonly signal: AbortSignal
}

/** The order once it has ended, or as it stands when the time is over or nobody waits any more. */
export async function waitForOrder(uuid: string, { ms, signal }: Patience): Promise<Order | undefined> {
  const { runtime, tracking } = await ordersApp()
  let wake: () => void = () => {}
  let isOver = false
  let isNews = true
  const tell = (): void => {
    isNews = true
    wake()
  }
  const end = (): void => {
    isOver = true
    wake()
  }
  const watch = await tracking.store.watch([uuid], tell)
  const cancelTimer = runtime.clock.after(ms, end)
  signal.addEventListener('abort', end)
  // it may have come while the watch began
  if (signal.aborted) end()
  try {
    for (;;) {
      isNews = false
      const order = await findOrder(uuid)
      if (order === undefined || hasEnded(order) || over()) return order
      if (!heard()) await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    cancelTimer()
    signal.removeEventListener('abort', end)
    await watch.stop()
  }

  // functions, since the compiler does not see that listeners change these
  function over(): boolean {
    return isOver
  }
  function heard(): boolean {
    return isNews || isOver
  }
}
