import type { Channel } from 'amqplib'
import { Session } from '#src/broker/rabbitmq/link/session.js'
import type { Scope } from './temporary.js'

/** The channels that are opened while the test runs, by any connection of this process. */
export function channelsOf(scope: Scope): Channel[] {
  const channels: Channel[] = []
  const original = Session.prototype.channel
  Session.prototype.channel = async function () {
    const channel = await original.call(this)
    channels.push(channel)
    return channel
  }
  scope.defer(() => (Session.prototype.channel = original))
  return channels
}
