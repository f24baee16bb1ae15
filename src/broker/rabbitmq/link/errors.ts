import { ErrandError, type ErrorCode } from '../../../errors.js'
import type { Host } from './options.js'

/** What RabbitMQ calls its refusals; the numbers are those of AMQP 0-9-1. */
export const REPLY = { notFound: 404, accessRefused: 403, locked: 405, precondition: 406, notAllowed: 530 } as const

/** The reply code with which the server closed a channel or connection, when the error is of that kind. */
export function replyCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'number') return error.code
  // a connection closed during its opening is only described in words
  if (/\(ACCESS.REFUSED\)/.test(error.message)) return REPLY.accessRefused
  return /\(NOT.ALLOWED\)/.test(error.message) || isVirtualHostRefusal(error) ? REPLY.notAllowed : undefined
}

/** The client library hides what the server says of a virtual host that it does not open: it shows the kind of frame alone. */
const isVirtualHostRefusal = (error: unknown): boolean => error instanceof Error && error.message.includes('got <ConnectionClose')

/** Bytes that a message may have, where the server closed a channel for a larger one; otherwise there is no limit. */
export function sizeLimitIn(error: unknown): number {
  const limit = replyCodeOf(error) === REPLY.precondition && /larger than configured max size (\d+)/.exec(reasonOf(error))?.[1]
  return limit ? Number(limit) : Infinity
}

/** A failure to connect, where it is about the virtual host with its name and what to do; any other is given up as it is. */
export function explainDial(host: Host, error: unknown): unknown {
  if (!isVirtualHostRefusal(error)) return error
  const name = host.vhost === '' ? '/' : decodeURIComponent(host.vhost)
  return new ErrandError(
    'BROKER_REFUSED',
    `Cannot connect to RabbitMQ at ${host.shown}: virtual host "${name}" does not exist, or user "${host.username}" may not use it. ` +
      `Correct the URL, or run: rabbitmqctl add_vhost '${name}' && rabbitmqctl set_permissions -p '${name}' '${host.username}' '.*' '.*' '.*'`,
    { cause: error },
  )
}

/** Whether asking again cannot help until a person changes credentials, permissions or the virtual host. */
export function isRefusal(error: unknown): boolean {
  if (error instanceof ErrandError) return error.code === 'BROKER_REFUSED'
  const code = replyCodeOf(error)
  return code === REPLY.accessRefused || code === REPLY.notAllowed
}

/** The text of a failure, for a log line or as the reason in a message. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join('; ')
  if (error instanceof Error) return error.message === '' ? error.name : error.message
  return String(error)
}

/** A failure of `what` as one of ours: refusals keep their own code, everything else gets `otherwise`. */
export function toErrandError(what: string, error: unknown, otherwise: ErrorCode = 'BROKER_UNREACHABLE'): ErrandError {
  if (error instanceof ErrandError) return error
  if (isRefusal(error)) {
    const advice = 'Check user, password, virtual host and permissions.'
    return new ErrandError('BROKER_REFUSED', `${what}: RabbitMQ refused: ${reasonOf(error)}. ${advice}`, { cause: error })
  }
  return new ErrandError(otherwise, `${what}: ${reasonOf(error)}.`, { cause: error })
}

export const closedError = (what: string): ErrandError =>
  new ErrandError('BROKER_CLOSED', `${what}: the broker of this process was closed. Nothing can be sent or received after close().`)
