import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import * as adapter from 'errand/http'
import { mount, requestContext } from 'errand/http'
import { madeBy, served, SESSION_COOKIE, userOf, type HttpApp } from '../../contract/http-app.js'
import type { ServedApp } from '../../contract/framework-contract.js'
import { jsonOf } from './json.js'

type Incoming = IncomingMessage & { user?: unknown; body?: unknown }

export async function serveHttp({ mounts, parses, own }: HttpApp): Promise<ServedApp> {
  const ours = Object.entries(mounts).map(([path, mounted]) => mount(path, madeBy(adapter, mounted)))
  async function listener(request: Incoming, response: ServerResponse): Promise<unknown> {
    request.user = userOf(request.headers)
    response.setHeader('set-cookie', SESSION_COOKIE).setHeader('vary', 'Origin')
    if (parses) request.body = await jsonOf(request)
    for (const answer of ours) {
      if (await answer(request, response)) return
    }
    const text = own[request.url ?? '']
    return text === undefined ? response.writeHead(404).end() : response.end(text)
  }
  const withRequest = requestContext()
  return served(createServer(withRequest((request: Incoming, response: ServerResponse) => void listener(request, response))).listen(0, '127.0.0.1'))
}
