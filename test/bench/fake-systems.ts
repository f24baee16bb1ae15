import { Servers } from '../../bench/servers.js'
import type { ServerKind, System } from '../../bench/system.js'
import type { Scope } from '../kit/temporary.js'

const never = (): Promise<never> => Promise.reject(new Error('a fake system opens nothing'))

export const fakeSystem = (name: string, more: Partial<System> = {}): System => {
  return { name, yardstick: 'raw-sqlite', setting: '', openCaller: never, startWorker: never, ...more }
}

/** Servers of which Redis is not there, and every other answers. `tried` are the starts in their order. */
export function withoutRedis(scope: Scope): { readonly servers: Servers; readonly tried: readonly ServerKind[] } {
  const tried: ServerKind[] = []
  const start = (kind: ServerKind) => async () => {
    tried.push(kind)
    if (kind === 'redis') throw new Error('there is no redis-server')
    return { url: `${kind}://here`, pid: 1, version: `${kind} 1.0`, [Symbol.asyncDispose]: async () => {} }
  }
  const servers = new Servers({ rabbitmq: start('rabbitmq'), redis: start('redis'), 'redis-aof': start('redis-aof'), postgres: start('postgres') })
  scope.defer(() => servers.close())
  return { servers, tried }
}
