import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Delivery } from '#src/broker/broker.js'
import type { Scope } from './temporary.js'

/** What a child of {@link startQueueProcess} is to do; see `queue-process-main.ts`. */
export type QueueOrder =
  | { readonly do: 'hold'; readonly file: string; readonly queue: string }
  | { readonly do: 'consume'; readonly file: string; readonly queue: string; readonly temporary?: boolean }
  | { readonly do: 'publish'; readonly file: string; readonly queue: string; readonly count: number; readonly tag: string }
  | { readonly do: 'replay'; readonly file: string; readonly queue: string; readonly most: number }
  | { readonly do: 'block'; readonly file: string; readonly queue: string; readonly forMs: number }

/** What such a child tells: a delivery it took or ended, or the id of a message that is stored. */
export type QueueNews =
  | { readonly is: 'ready' }
  | { readonly is: 'taken'; readonly id: string; readonly attempt: Delivery['attempt']; readonly crashes: number }
  | { readonly is: 'ended'; readonly id: string }
  | { readonly is: 'stored'; readonly id: string }

export interface QueueProcess {
  readonly news: readonly QueueNews[]
  readonly child: ChildProcess
  /** Ends it as the kernel does when memory runs out; resolves when it is gone. */
  kill(): Promise<void>
}

/** Starts a process that works on the queues of an SQLite file; it is killed when the test ends. */
export function startQueueProcess(scope: Scope, order: QueueOrder): QueueProcess {
  const child = fork(new URL('./queue-process-main.js', import.meta.url), [JSON.stringify(order)], { execArgv: [] })
  const news: QueueNews[] = []
  // the child is queue-process-main.ts, which sends nothing else
  child.on('message', (message) => news.push(message as QueueNews))
  const gone = once(child, 'exit')
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await gone
  }
  scope.defer(kill)
  return { news, child, kill }
}

/** Takes one message of `queue` in another process, which is killed while it holds it. */
export async function loseOne(scope: Scope, file: string, queue: string): Promise<void> {
  const holder = startQueueProcess(scope, { do: 'hold', file, queue })
  await new Promise<void>((resolve, reject) => {
    holder.child.on('message', (message: QueueNews) => {
      if (message.is === 'taken') resolve()
    })
    holder.child.on('exit', () => reject(new Error('the holder ended before it held a message')))
  })
  await holder.kill()
}
