import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Begun } from '#src/store/store.js'
import type { Scope } from './temporary.js'

/** Where another process finds the store of a test. */
export type StoreAddress =
  | { readonly driver: 'sqlite'; readonly file: string }
  | { readonly driver: 'postgres'; readonly url: string; readonly schema: string }

/** What a child of {@link startStoreProcess} is to do; see `store-process-main.ts`. */
export type StoreOrder = { readonly at: StoreAddress } & (
  | { readonly do: 'begin'; readonly key: string; readonly calls: number }
  | { readonly do: 'write'; readonly tag: string }
  | { readonly do: 'complete'; readonly ids: readonly string[] }
  | { readonly do: 'call'; readonly owners: readonly string[]; readonly calls: number }
)

/** What such a child tells. */
export type StoreNews =
  | { readonly is: 'ready' }
  | { readonly is: 'begun'; readonly all: readonly { readonly isNew: Begun['isNew']; readonly id: string }[] }
  | { readonly is: 'stored'; readonly id: string }
  | { readonly is: 'completed'; readonly first: number }
  | { readonly is: 'called'; readonly ids: readonly string[] }

export interface StoreProcess {
  readonly news: readonly StoreNews[]
  /** Lets a process that said it is ready go to work. */
  go(): void
  /** Ends it as the kernel does when memory runs out; resolves when it is gone. */
  kill(): Promise<void>
}

/** Starts a process that works on a store; it is killed when the test ends. */
export function startStoreProcess(scope: Scope, order: StoreOrder): StoreProcess {
  const child: ChildProcess = fork(new URL('./store-process-main.js', import.meta.url), [JSON.stringify(order)], { execArgv: [] })
  const news: StoreNews[] = []
  // the child is store-process-main.ts, which sends nothing else
  child.on('message', (message) => news.push(message as StoreNews))
  const gone = once(child, 'exit')
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await gone
  }
  scope.defer(kill)
  return { news, go: () => void child.send('go'), kill }
}
