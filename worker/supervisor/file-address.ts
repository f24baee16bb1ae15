import { open, rm, stat } from 'node:fs/promises'
import { connect, type Server } from 'node:net'

/** A clean-up takes milliseconds; a mark older than this was left by a process that died meanwhile. */
const CLEANING_STALE_MS = 5_000

/**
 * Takes over the socket file of a process that was killed: such a file stays, and nobody listens on it. One process at a time does so,
 * marked by a second file, or two could remove each other's new socket. Answers `undefined` when the address is truly in use.
 */
export async function claimFileAddress(address: string, listen: () => Promise<Server | undefined>): Promise<Server | undefined> {
  if (await answers(address)) return undefined
  const mark = `${address}.cleaning`
  if (!(await takeMark(mark))) return undefined
  try {
    // between the first look and the mark another process may have cleaned up and begun to listen
    if (await answers(address)) return undefined
    await rm(address, { force: true })
    return await listen()
  } finally {
    await rm(mark, { force: true })
  }
}

async function takeMark(mark: string): Promise<boolean> {
  try {
    const file = await open(mark, 'wx', 0o600)
    await file.close()
    return true
  } catch {
    const made = await stat(mark).catch(() => undefined)
    if (made !== undefined && Date.now() - made.mtimeMs > CLEANING_STALE_MS) await rm(mark, { force: true })
    return false
  }
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address)
    socket.on('connect', () => {
      resolve(true)
      socket.destroy()
    })
    socket.on('error', () => resolve(false))
  })
}
