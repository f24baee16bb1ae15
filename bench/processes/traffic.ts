import { readFileSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Traffic } from './orders.js'

const sockets: Socket[] = []

/** Counts what this process sends and receives from now on: to be called before a client library opens anything. */
export function countTraffic(): void {
  const { connect } = Socket.prototype
  Socket.prototype.connect = function (this: Socket, ...args: unknown[]): Socket {
    sockets.push(this)
    // the arguments are those that the caller gave it
    return connect.apply(this, args as Parameters<Socket['connect']>)
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
