import { existsSync } from 'node:fs'
import type { RabbitNode } from './rabbitmq.js'
import { until } from './until.js'

const CHANGES = {
  suspend: 'sys:suspend(Name)',
  resume: 'sys:resume(Name)',
  stop: 'ra:stop_server(quorum_queues, {Name, node()})',
  start: 'ra:restart_server(quorum_queues, {Name, node()})',
}

const nameOf = (nameOnServer: string): string =>
  `{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"${nameOnServer}">>)), {Name, _} = amqqueue:get_pid(Q)`

/**
 * Changes the process of a quorum queue in the server, which is its leader. A suspended one takes messages in and answers nothing;
 * a stopped one is not there.
 */
export async function leaderOf(node: RabbitNode, change: keyof typeof CHANGES, nameOnServer: string): Promise<void> {
  await node.eval(`${nameOf(nameOnServer)}, ${CHANGES[change]}.`)
}

/**
 * Suspends it for `ms` by the clock of the server, however long it takes to tell the server anything. Resolves when it is suspended; `over` when
 * it goes on. The file `marker` is made.
 */
export async function pauseLeader(node: RabbitNode, nameOnServer: string, { ms, marker }: { ms: number; marker: string }): Promise<{ over: Promise<void> }> {
  const steps = ['sys:suspend(Name)', `ok = file:write_file("${marker}", <<>>)`, `timer:sleep(${ms})`, 'sys:resume(Name)']
  const paused = node.eval(`${nameOf(nameOnServer)}, ${steps.join(', ')}.`)
  await Promise.race([until('the pause', () => existsSync(marker), 60_000), paused])
  return { over: paused.then(() => undefined) }
}
