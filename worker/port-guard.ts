import { Server } from 'node:net'
import type { Logger } from '../src/core/logger.js'
import { ownSockets } from './supervisor/own-sockets.js'

/**
 * While it stands, `listen()` of every server in this process opens nothing: service modules may be the entry file of the web server.
 * To the application all looks as if it had worked (its callback runs, `address()` answers what was asked for), since frameworks
 * wait for that and would hang or throw otherwise. The answer lifts the guard.
 */
export function guardPorts(log: Logger): () => void {
  // called with its server as `this` below
  // oxlint-disable-next-line unbound-method
  const { listen } = Server.prototype
  const guarded = function (this: Server, ...args: unknown[]): Server {
    if (ownSockets.has(this) || this.listening) return (listen as (...given: unknown[]) => Server).apply(this, args) // as it was called
    const asked = readAddress(args)
    log.info(`A module asked to listen on ${describe(asked)}; a worker opens no ports ("worker.listen: true" lets it).`)
    pretendToListen(this, asked)
    const callback = args.at(-1)
    if (typeof callback === 'function') this.once('listening', callback as () => void) // what listen() takes last
    process.nextTick(() => {
      if (this.listening) this.emit('listening')
    })
    return this
  }
  Server.prototype.listen = guarded as typeof listen // takes and answers the same
  return () => {
    if (Server.prototype.listen === guarded) Server.prototype.listen = listen
  }
}

type Asked = { readonly path: string } | { readonly port: number; readonly host: string }

/** The forms of `listen()`: (options), (path), (port, host), each with more behind. */
function readAddress([first, second]: readonly unknown[]): Asked {
  const options = typeof first === 'object' && first !== null ? first : { port: first, host: second }
  const path: unknown = Reflect.get(options, 'path') ?? (typeof first === 'string' && !/^\d+$/.test(first) ? first : undefined)
  if (typeof path === 'string') return { path }
  const port = Number(Reflect.get(options, 'port'))
  const host: unknown = Reflect.get(options, 'host')
  return { port: Number.isInteger(port) ? port : 0, host: typeof host === 'string' ? host : '0.0.0.0' }
}

const describe = (asked: Asked): string => ('path' in asked ? asked.path : `port ${asked.port}`)

/**
 * Gives the server a handle that is none: `listening`, `address()`, `close()`, `ref()` and `unref()` of node all work through it.
 */
function pretendToListen(server: Server, asked: Asked): void {
  const handle = {
    close: (done?: () => void) => done !== undefined && process.nextTick(done),
    ref: () => {},
    unref: () => {},
    ...('path' in asked
      ? {}
      : {
          getsockname(out: object): number {
            Object.assign(out, { address: asked.host, port: asked.port, family: asked.host.includes(':') ? 'IPv6' : 'IPv4' })
            return 0
          },
        }),
  }
  Object.assign(server, { _handle: handle }, 'path' in asked ? { _pipeName: asked.path } : {})
}
