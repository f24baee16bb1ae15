import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Scope } from './temporary.js'

/** Where the names are; `locks-holder-main.ts` opens it. */
export type LocksPlace =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'rabbitmq'; readonly url: string; readonly namespace: string }

/** Takes `name` in a process of its own and holds it; the answer kills that process, and resolves when it is gone. */
export async function holdInProcess(scope: Scope, place: LocksPlace, name: string): Promise<() => Promise<void>> {
  const child = fork(fileURLToPath(new URL('./locks-holder-main.js', import.meta.url)), [JSON.stringify(place), name], { execArgv: [] })
  const gone = once(child, 'exit')
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await gone
  }
  scope.defer(kill)
  const [answer] = await Promise.race([once(child, 'message'), gone.then(() => ['the holder ended before it held the name'])])
  if (answer !== 'held') throw new Error(String(answer))
  return kill
}
