import { createServer } from 'node:net'

/** Below the range from which the kernel takes ports of outgoing connections, so that nothing takes it in between. */
const LOWEST = 20_000
const HIGHEST = 26_000
/** A port is spoken for by the process that listens on the one so far above it. */
const CLAIM_ABOVE = 6_000

/**
 * A port on which nothing listens on the loopback address, and which no other test process is given while this one lives: the tests
 * run in several processes, and a server may take seconds to open the port that it was told.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST))
    if ((await isClaimed(port + CLAIM_ABOVE)) && (await isFree(port))) return port
  }
}

/** Holds the port until this process ends, however it does. */
function isClaimed(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const claim = createServer()
    claim.once('error', () => resolve(false))
    claim.listen(port, '127.0.0.1', () => resolve(true)).unref()
  })
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
