import { setImmediate as immediate, setTimeout as timer } from 'node:timers/promises'

/** What `look` sees in everything that a body may await. */
export async function everyTurn(look: () => unknown): Promise<unknown[]> {
  const seen: unknown[] = [look()]
  await Promise.resolve()
  seen.push(look())
  await timer(Math.random() * 5)
  seen.push(look())
  await immediate()
  seen.push(look())
  await new Promise<void>((resolve) => process.nextTick(() => resolve(void seen.push(look()))))
  await new Promise<void>((resolve) => setTimeout(() => resolve(void seen.push(look())), Math.random() * 5))
  for await (const inside of twoTurns(look)) seen.push(inside, look())
  return seen
}

async function* twoTurns(look: () => unknown): AsyncGenerator {
  yield look()
  await immediate()
  yield look()
}
