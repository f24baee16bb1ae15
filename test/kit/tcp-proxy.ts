import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/**
 * What the proxy does with a new connection: `pass` bytes on; be `silent`: accept and never answer; or `drip`: answer with the
 * beginning of a frame, byte by byte and for ever.
 */
export type ProxyMode = 'pass' | 'silent' | 'drip'

/** Of a frame on channel 0 that is said to be almost two gigabytes long. */
const FRAME_HEAD = [1, 0, 0, 0x7f]
const DRIP_MS = 100

/** A line between a client and a server that can be cut in several ways. */
export class TcpProxy implements AsyncDisposable {
  mode: ProxyMode = 'pass'
  /** Connections accepted so far. */
  accepted = 0
  /** After so many more packets of the server every connection is cut, the packet itself not passed on; then never again. */
  cutAfter = Infinity
  readonly #server: Server
  readonly #target: { host: string; port: number }
  readonly #sockets = new Set<Socket>()
  readonly #frozen = new WeakSet<Socket>()

  private constructor(target: { host: string; port: number }) {
    this.#target = target
    this.#server = createServer((socket) => this.#accept(socket))
  }

  /** A proxy on a free port of the loopback address in front of the host and port of `url`. */
  static async to(url: string): Promise<TcpProxy> {
    const { hostname, port } = new URL(url)
    const proxy = new TcpProxy({ host: hostname, port: Number(port) || 5672 })
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  /** The address of the proxy, as a broker URL. */
  get url(): string {
    // a listening TCP server has an address of this form
    return `amqp://guest:guest@127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get open(): number {
    return this.#sockets.size
  }

  /** Cuts every connection with a TCP reset. */
  reset(): void {
    for (const socket of this.#sockets) cut(socket)
    this.#sockets.clear()
  }

  /** Makes black holes of the connections that stand: they stay open, and no byte comes through in either direction. */
  freeze(): void {
    for (const socket of this.#sockets) this.#frozen.add(socket)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reset()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #accept(client: Socket): void {
    this.accepted += 1
    this.#keep(client)
    if (this.mode === 'silent') {
      // unread, it would not even notice that the client left
      client.resume()
      return
    }
    if (this.mode === 'drip') {
      client.resume()
      drip(client)
      return
    }
    const server = connect(this.#target)
    this.#keep(server)
    this.#pump(client, server)
    server.on('data', () => {
      if (this.cutAfter-- > 0) return
      this.cutAfter = Infinity
      this.reset()
    })
    this.#pump(server, client)
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
  }

  #pump(from: Socket, to: Socket): void {
    from.on('data', (bytes) => {
      if (!this.#frozen.has(from) && !to.destroyed && !to.write(bytes)) {
        from.pause()
        to.once('drain', () => from.resume())
      }
    })
    from.on('end', () => this.#frozen.has(from) || to.end())
    from.on('close', () => this.#frozen.has(from) || to.destroy())
  }
}

/** Node never finishes the reset of a socket that is shutting down already, and then hangs at its exit for ever. */
function cut(socket: Socket): void {
  if (socket.writableEnded || socket.connecting) socket.destroy()
  else socket.resetAndDestroy()
}

function drip(socket: Socket): void {
  const head = [...FRAME_HEAD]
  const timer = setInterval(() => socket.write(Buffer.of(head.shift() ?? 0xff)), DRIP_MS)
  socket.on('close', () => clearInterval(timer))
}
