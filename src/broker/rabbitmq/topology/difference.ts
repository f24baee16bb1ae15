import { reasonOf } from '../link/errors.js'
import type { Statement } from './topology.js'

/** How the server words it: `received the value '50' of type 'signedint' but current is none`, or `received 'true' but …`. */
const INEQUIVALENT = /inequivalent arg '([^']+)' for .*: received (.+?) but current is (.+?)"?$/s

/** Arguments that a policy can set on a queue that stands; such a key is named like the argument without its `x-`. */
const BY_POLICY = ['x-delivery-limit', 'x-dead-letter-exchange', 'x-dead-letter-routing-key', 'x-dead-letter-strategy', 'x-overflow', 'x-max-length', 'x-message-ttl']

/** What differs between a queue or exchange as it stands on the server and as it is wanted, and what can be done. */
export function differenceOf(statement: Statement, refused: unknown): string {
  const { kind, name } = statement
  const used = `the ${kind} "${name}" is used as it is`
  const [, argument, wanted, current] = INEQUIVALENT.exec(reasonOf(refused)) ?? []
  if (argument === undefined || wanted === undefined || current === undefined) return `${used}, which is not as wanted: ${reasonOf(refused)}`
  const difference = `${argument} is ${valueOf(current)} on the server, and ${valueOf(wanted)} here (there may be more differences)`
  const remove =
    kind === 'queue'
      ? `or delete the queue when it is empty, so that it is declared anew: rabbitmqctl delete_queue --if-empty '${name}'`
      : 'or delete the exchange, so that it is declared anew'
  return `${used}: ${difference}. Keep it if that is on purpose,${BY_POLICY.includes(argument) ? byPolicy(argument, wanted, name) : ''} ${remove}`
}

const valueOf = (text: string): string => (text === 'none' ? 'not set' : text.replace(/^the value /, '').replace(/ of type '\w+'$/, ''))

function byPolicy(argument: string, wanted: string, name: string): string {
  if (wanted === 'none') return ''
  const value = valueOf(wanted).replace(/^'|'$/g, '')
  const shown = /^-?\d+$/.test(value) ? value : `"${value}"`
  const pattern = name.replace(/[.]/g, String.raw`\.`)
  return ` or set it by a policy: rabbitmqctl set_policy errand '^${pattern}$' '{"${argument.slice(2)}": ${shown}}' --apply-to queues,`
}
