import { readFileSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Traffic } from './orders.js'

const sockets: Socket[] = []

/** Counts what this process sends and receives from now on: to be called before a client library opens anything. */
export function countTraffic(): void {
  // every library comes by here, also those that make their socket first and connect it later
  const connect = Reflect.get(Socket.prototype, 'connect') as (this: Socket, ...args: unknown[]) => Socket
  Socket.prototype.connect = function (this: Socket, ...args: unknown[]): Socket {
    sockets.push(this)
    return connect.apply(this, args)
  }
}

/** Bytes since {@link countTraffic}. */
export function traffic(): Traffic {
  const sent = sum(({ bytesWritten }) => bytesWritten)
  return { wireBytes: sent + sum(({ bytesRead }) => bytesRead), fileBytes: Math.max(0, writtenBytes() - sent) }
}

const sum = (bytes: (socket: Socket) => number): number => sockets.reduce((total, socket) => total + bytes(socket), 0)

/** What this process handed to the system for writing, to sockets as well; nothing where the system has no /proc. */
function writtenBytes(): number {
  try {
    return Number(/^wchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
