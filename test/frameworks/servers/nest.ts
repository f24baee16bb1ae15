import 'reflect-metadata'
import { Controller, Get, type CanActivate, type ExecutionContext } from '@nestjs/common'
import { APP_FILTER, APP_GUARD, NestFactory } from '@nestjs/core'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import type { Request, Response } from 'express'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ErrandModule, type ErrandModuleOptions, type HttpHandler, type OrdersOptions, type WaitingPageView } from 'errand/nest'
import { SESSION_COOKIE, userOf, type HttpApp, type Serve } from '../../contract/http-app.js'
import type { ServedApp } from '../../contract/framework-contract.js'

type AnyRequest = (Request | FastifyRequest) & { user?: unknown }
type AnyResponse = Response | FastifyReply

export const serveNest: Serve = (app) => serve(app, 'express')
export const serveNestOnFastify: Serve = (app) => serve(app, 'fastify')

async function serve({ mounts, parses, own, onError }: HttpApp, platform: 'express' | 'fastify'): Promise<ServedApp> {
  const root = {
    module: class Root {},
    imports: [ErrandModule.forRoot(moduleOptions(mounts))],
    controllers: Object.entries(own).map(([path, text]) => controllerOf(path, text)),
    providers: [
      { provide: APP_GUARD, useValue: GUARD },
      { provide: APP_FILTER, useValue: filterOf(onError) },
    ],
  }
  const options = { logger: false, abortOnError: false, forceCloseConnections: true, bodyParser: parses } as const
  const nest = await (platform === 'express' ? NestFactory.create(root, options) : onFastify(root, options))
  await nest.listen(0, '127.0.0.1')
  return { port: Number(new URL(await nest.getUrl()).port), close: () => nest.close() }
}

/** What is mounted, in the words of the module. */
function moduleOptions(mounts: HttpApp['mounts']): ErrandModuleOptions {
  const handlers: Record<string, HttpHandler> = {}
  const pages: Record<string, WaitingPageView> = {}
  const orders: Record<string, OrdersOptions> = {}
  for (const [path, mounted] of Object.entries(mounts)) {
    if (typeof mounted === 'function') handlers[path] = mounted
    else if ('page' in mounted) pages[path] = mounted.page
    else orders[path] = mounted.orders
  }
  return { handlers, pages, orders }
}

async function onFastify(root: object, options: object) {
  const adapter = new FastifyAdapter({ forceCloseConnections: true })
  const fastify = adapter.getInstance()
  fastify.removeAllContentTypeParsers()
  fastify.addContentTypeParser('*', (_request, _payload, done) => done(null))
  return NestFactory.create(root, adapter, options)
}

/** Guards hold for our controllers as for those of the application. */
const GUARD: CanActivate = {
  canActivate(execution: ExecutionContext): boolean {
    const http = execution.switchToHttp()
    const request = http.getRequest<AnyRequest>()
    request.user = userOf(request.headers)
    const response = http.getResponse<AnyResponse>()
    if ('raw' in response) response.header('set-cookie', SESSION_COOKIE).header('vary', 'Origin')
    else response.append('Set-Cookie', SESSION_COOKIE).vary('Origin')
    return true
  },
}

function filterOf(onError: (error: unknown) => void) {
  return {
    catch(error: unknown, host: ExecutionContext) {
      const status = error instanceof Error && 'status' in error ? Number(error.status) : 500
      if (status === 500) onError(error)
      host.switchToHttp().getResponse<Response>().status(status).send('failed')
    },
  }
}

function controllerOf(path: string, text: string): new () => object {
  @Controller()
  class Own {
    @Get(path)
    answer(): string {
      return text
    }
  }
  return Own
}
