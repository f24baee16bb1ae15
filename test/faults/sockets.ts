import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const ESTABLISHED = '01'

/** Addresses, `host:port`, to which a process has TCP connections. Linux only. */
export function connectedTo(pid: number): ReadonlySet<string> {
  const inodes = new Set(openSockets(pid))
  const lines = ['tcp', 'tcp6'].flatMap((name) => readFileSync(`/proc/${pid}/net/${name}`, 'utf8').split('\n').slice(1))
  const peers = lines.flatMap((line) => {
    const [, , peer = '', state, , , , , , inode = ''] = line.trim().split(/\s+/)
    return state === ESTABLISHED && inodes.has(inode) ? [addressOf(peer)] : []
  })
  return new Set(peers)
}

function openSockets(pid: number): readonly string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${name}`))?.[1] ?? []
    } catch {
      return [] // closed in the meantime
    }
  })
}

/** `0100007F:1633` is 127.0.0.1:5683: the bytes of the address in reverse order. An IPv4 address inside an IPv6 one ends it. */
function addressOf(hex: string): string {
  const [address = '', port = ''] = hex.split(':')
  const bytes = (address.slice(-8).match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16))
  return `${bytes.reverse().join('.')}:${Number.parseInt(port, 16)}`
}
