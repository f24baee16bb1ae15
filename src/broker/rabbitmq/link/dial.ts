import { readFile } from 'node:fs/promises'
import type { ConnectionOptions } from 'node:tls'
import { connect } from 'amqplib'
import { ErrandError } from '../../../errors.js'
import { deferred } from './deadline.js'
import { explainDial, reasonOf } from './errors.js'
import type { Host, TlsFiles } from './options.js'
import { Session } from './session.js'
import { tlsRefusal } from './tls-refusal.js'

/** A server that accepts the connection and stays silent is given up after this. */
const HANDSHAKE_TIMEOUT_MS = 10_000

export interface DialOptions {
  readonly heartbeatSeconds: number
  /** Shown by the server's own tools beside the connection. */
  readonly connectionName: string
  readonly tls: ConnectionOptions
  readonly timeoutMs: number
  readonly epoch: number
  /** Ends the attempt. */
  readonly signal: AbortSignal
}

/** Opens one connection to one host; bounded in time whatever the other side does. */
export async function dial(host: Host, options: DialOptions): Promise<Session> {
  const timeoutMs = Math.min(HANDSHAKE_TIMEOUT_MS, options.timeoutMs)
  const socket = new AbortController()
  const given = deferred<never>()
  const giveUp = (): void => {
    given.reject(new ErrandError('BROKER_UNREACHABLE', `RabbitMQ at ${host.shown} did not answer within ${timeoutMs} ms.`))
    socket.abort()
  }
  // a host that sends one byte now and then never counts as silent for the client library
  const timer = setTimeout(giveUp, timeoutMs)
  options.signal.addEventListener('abort', giveUp, { once: true })
  try {
    const opening = open(host, options, timeoutMs, socket.signal)
    opening.then((late) => socket.signal.aborted && late.abandon('it opened too late'), () => {})
    return await Promise.race([opening, given.promise])
  } finally {
    clearTimeout(timer)
    options.signal.removeEventListener('abort', giveUp)
  }
}

async function open(host: Host, options: DialOptions, timeout: number, signal: AbortSignal): Promise<Session> {
  const { protocol, hostname, port, username, password, vhost } = host
  const { heartbeatSeconds: heartbeat, connectionName, tls, epoch } = options
  // what happens to the connection is heard from the very turn in which it stands
  return connect(
    { protocol, hostname, port, username, password, vhost, heartbeat },
    {
      ...(protocol === 'amqps' ? tls : { signal }),
      noDelay: true,
      keepAlive: true,
      timeout,
      clientProperties: { connection_name: connectionName },
    },
  ).then(
    (model) => new Session(model, epoch),
    (error: unknown) => {
      throw tlsRefusal(host, error) ?? explainDial(host, error)
    },
  )
}

/** The content of the files. @throws ErrandError `OPTION_INVALID` naming the file that cannot be read. */
export async function readTlsFiles(files: TlsFiles): Promise<ConnectionOptions> {
  const read: { ca?: Buffer; cert?: Buffer; key?: Buffer; passphrase?: string } = {}
  for (const name of ['ca', 'cert', 'key'] as const) {
    const file = files[name]
    if (file !== undefined) read[name] = await readFile(file).catch((error: unknown) => unreadable(name, file, error))
  }
  if (files.passphrase !== undefined) read.passphrase = files.passphrase
  return read
}

function unreadable(name: string, file: string, error: unknown): never {
  const why = `Cannot open the RabbitMQ broker: the file of tls.${name} cannot be read (${reasonOf(error)}). Check ${file}.`
  throw new ErrandError('OPTION_INVALID', why, { cause: error })
}
