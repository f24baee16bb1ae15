import { systemClock, type Clock } from '../../../core/clock.js'
import { silentLogger, type Logger } from '../../../core/logger.js'
import { refuseUnknownKeys, show, withoutUndefined } from '../../../core/options.js'
import { ErrandError } from '../../../errors.js'

/** How a broker on RabbitMQ is opened. */
export interface RabbitBrokerOptions {
  /** `amqp://user:password@host:port/vhost` or `amqps://…`, one per node of the cluster; tried in random order. */
  readonly urls: readonly string[]
  /** The first word of every queue and exchange name, so that several applications can share a virtual host. */
  readonly namespace: string
  /** `quorum` survives the loss of a node; `classic` is for servers that have no quorum queues. @defaultValue 'quorum' */
  readonly queueType?: 'quorum' | 'classic' | undefined
  /** Milliseconds in which the first connection must stand, over all URLs. @defaultValue 10000 */
  readonly connectTimeoutMs?: number | undefined
  /** Milliseconds after which a message that was not confirmed is rejected. @defaultValue 20000 */
  readonly confirmTimeoutMs?: number | undefined
  /**
   * What becomes of a publish while there is no connection: it waits for one until `confirmTimeoutMs` is over, or is rejected at
   * once. With `reject`, what was under way when a connection is lost is rejected at once too: `PUBLISH_TIMEOUT` where the server
   * may have it, `BROKER_UNREACHABLE` where it has not. @defaultValue 'wait'
   */
  readonly whenAway?: 'wait' | 'reject' | undefined
  /**
   * Whether opening waits for the first connection, and fails without one. With `false` it resolves at once and the connection is
   * sought for as long as the broker is open, also when the server refuses the user. @defaultValue true
   */
  readonly waitForConnection?: boolean | undefined
  /** Seconds between signs of life; a silent connection is given up after two to three of them, and with 0 never. @defaultValue 10 */
  readonly heartbeatSeconds?: number | undefined
  /**
   * Milliseconds after which the server takes a message back that was not acknowledged, its `consumer_timeout`. Longer runs are
   * put on watch at a third of it. @defaultValue 1800000
   */
  readonly ackTimeoutMs?: number | undefined
  /** Files for `amqps://` URLs. @defaultValue the certificates of the system */
  readonly tls?: TlsFiles | undefined
  /** @defaultValue says nothing */
  readonly log?: Logger | undefined
  /** @defaultValue the time of the system */
  readonly clock?: Clock | undefined
}

/** Names of files in PEM form, read once when the broker is opened. */
export interface TlsFiles {
  /** The authority that signed the server's certificate. */
  readonly ca?: string | undefined
  /** Certificate of this client, with `key`. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** Of the key. */
  readonly passphrase?: string | undefined
}

/** One address of the broker, taken apart. */
export interface Host {
  readonly protocol: 'amqp' | 'amqps'
  readonly hostname: string
  readonly port: number
  readonly username: string
  readonly password: string
  /** Still percent-encoded: the client library decodes it. */
  readonly vhost: string
  /** The address without the password, for messages. */
  readonly shown: string
}

/** {@link RabbitBrokerOptions} with every default filled in. */
export interface ResolvedRabbitOptions {
  readonly hosts: readonly Host[]
  readonly namespace: string
  readonly queueType: 'quorum' | 'classic'
  readonly connectTimeoutMs: number
  readonly confirmTimeoutMs: number
  readonly whenAway: 'wait' | 'reject'
  readonly waitForConnection: boolean
  readonly heartbeatSeconds: number
  readonly ackTimeoutMs: number
  readonly tls: TlsFiles
  readonly log: Logger
  readonly clock: Clock
}

const DEFAULTS = {
  queueType: 'quorum' as const,
  connectTimeoutMs: 10_000,
  confirmTimeoutMs: 20_000,
  whenAway: 'wait' as const,
  waitForConnection: true,
  heartbeatSeconds: 10,
  ackTimeoutMs: 30 * 60_000,
  tls: {},
  log: silentLogger,
  clock: systemClock,
}

/** The protocol has 16 bits for it. */
const LONGEST_HEARTBEAT_SECONDS = 65_535

/** Exchanges whose names begin with `amq.` belong to the server. */
const NAMESPACE = /^(?!amq\.)[\x21-\x7e]{1,60}$/

/** @throws ErrandError `OPTION_INVALID`; the message never shows a password. */
export function resolveRabbitOptions(given: RabbitBrokerOptions): ResolvedRabbitOptions {
  refuseUnknownKeys('The RabbitMQ broker', given, [...Object.keys(DEFAULTS), 'urls', 'namespace'])
  const { urls, ...options } = { ...DEFAULTS, ...withoutUndefined(given) }
  if (urls.length === 0) throw invalid('urls must name at least one server, such as amqp://localhost')
  if (!NAMESPACE.test(options.namespace)) {
    throw invalid(`namespace must be 1 to 60 visible ASCII characters and not begin with "amq.", got ${show(options.namespace)}`)
  }
  if (!['quorum', 'classic'].includes(options.queueType)) {
    throw invalid(`queueType must be 'quorum' or 'classic', got ${show(options.queueType)}`)
  }
  if (!['wait', 'reject'].includes(options.whenAway)) throw invalid(`whenAway must be 'wait' or 'reject', got ${show(options.whenAway)}`)
  const { heartbeatSeconds } = options
  if (!Number.isInteger(heartbeatSeconds) || heartbeatSeconds < 0 || heartbeatSeconds > LONGEST_HEARTBEAT_SECONDS) {
    throw invalid(`heartbeatSeconds must be whole seconds from 0 to ${LONGEST_HEARTBEAT_SECONDS}, got ${show(heartbeatSeconds)}`)
  }
  for (const name of ['connectTimeoutMs', 'confirmTimeoutMs', 'ackTimeoutMs'] as const) {
    if (!Number.isFinite(options[name]) || options[name] <= 0) throw invalid(`${name} must be above 0, got ${show(options[name])}`)
  }
  return Object.freeze({ ...options, hosts: urls.map(parseHost) })
}

function parseHost(url: string): Host {
  const parts = URL.canParse(url) ? new URL(url) : undefined
  const protocol = parts?.protocol
  if (parts === undefined || (protocol !== 'amqp:' && protocol !== 'amqps:')) {
    // the text itself may contain a password wherever its form is unknown
    throw invalid('a URL is not of the form amqp://user:password@host:port/vhost (special characters percent-encoded)')
  }
  const isDefaultUser = parts.username === '' && parts.password === ''
  return {
    protocol: protocol === 'amqps:' ? 'amqps' : 'amqp',
    hostname: parts.hostname === '' ? 'localhost' : parts.hostname.replace(/^\[|\]$/g, ''),
    port: Number(parts.port) || (protocol === 'amqps:' ? 5671 : 5672),
    username: isDefaultUser ? 'guest' : decodeURIComponent(parts.username),
    password: isDefaultUser ? 'guest' : decodeURIComponent(parts.password),
    vhost: parts.pathname.slice(1),
    shown: maskedUrl(parts),
  }
}

function maskedUrl(parts: URL): string {
  const user = parts.username === '' ? '' : `${parts.username}${parts.password === '' ? '' : ':***'}@`
  return `${parts.protocol}//${user}${parts.host}${parts.pathname === '/' ? '' : parts.pathname}`
}

function invalid(why: string): ErrandError {
  return new ErrandError('OPTION_INVALID', `Cannot open the RabbitMQ broker: ${why}.`)
}
