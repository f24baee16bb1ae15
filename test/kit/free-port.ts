import { createServer } from 'node:net'

/** Below the range from which the kernel takes ports of outgoing connections, so that nothing takes it in between. */
const LOWEST = 20_000
const HIGHEST = 32_000

/** A port on which nothing listens on the loopback address. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST))
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
