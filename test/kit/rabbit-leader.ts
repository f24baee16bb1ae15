import type { RabbitNode } from './rabbitmq.js'

const CHANGES = {
  suspend: 'sys:suspend(Name)',
  resume: 'sys:resume(Name)',
  stop: 'ra:stop_server(quorum_queues, {Name, node()})',
  start: 'ra:restart_server(quorum_queues, {Name, node()})',
}

/**
 * Changes the process of a quorum queue in the server, which is its leader. A suspended one takes messages in and answers nothing;
 * a stopped one is not there.
 */
export async function leaderOf(node: RabbitNode, change: keyof typeof CHANGES, nameOnServer: string): Promise<void> {
  const found = `{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"${nameOnServer}">>))`
  await node.eval(`${found}, {Name, _} = amqqueue:get_pid(Q), ${CHANGES[change]}.`)
}
