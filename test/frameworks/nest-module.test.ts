import 'reflect-metadata'
import { All, Controller, Get, Module, Req, Res, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common'
import { APP_FILTER, APP_GUARD, NestFactory } from '@nestjs/core'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { expect } from 'chai'
import type { Request, Response } from 'express'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { asyncTask, context, original, withContext } from 'errand'
import { ErrandModule, nestContainer } from 'errand/nest'
import type { HttpHandler } from '#src/http/handler.js'
import { eachScope } from '../kit/temporary.js'
import { frameworkContract, type AppUnderTest, type ServedApp } from '../contract/framework-contract.js'
import { HttpClient } from '../contract/http-client.js'

type AnyRequest = (Request | FastifyRequest) & { user?: unknown }
type AnyResponse = Response | FastifyReply

const OPTIONS = { logger: false, abortOnError: false, forceCloseConnections: true } as const
const PLATFORMS = {
  Express: (root: object) => NestFactory.create(root, OPTIONS),
  Fastify: (root: object) => {
    const adapter = new FastifyAdapter({ forceCloseConnections: true })
    adapter.getInstance().addContentTypeParser('application/octet-stream', (_request, _payload, done) => done(null))
    return NestFactory.create(root, adapter, OPTIONS)
  },
}

for (const [platform, create] of Object.entries(PLATFORMS)) {
  frameworkContract(`the module of NestJS on ${platform}`, async (app) => {
    const nest = await create(rootOf(app, platform === 'Fastify' ? '/*' : '/*path'))
    return listen(nest)
  })
}

async function listen(nest: Awaited<ReturnType<(typeof PLATFORMS)['Express']>>): Promise<ServedApp> {
  await nest.listen(0, '127.0.0.1')
  return { port: Number(new URL(await nest.getUrl()).port), close: () => nest.close() }
}

function rootOf(app: AppUnderTest, everything: string): object {
  @Controller()
  class AnyController {
    @All(['/', everything])
    async answer(@Req() request: AnyRequest, @Res() response: AnyResponse): Promise<void> {
      const [incoming, outgoing] = 'raw' in response ? [(request as FastifyRequest).raw, response.raw] : [request as Request, response]
      const answer = await app.handle(request.url.split('?', 1)[0] ?? '', incoming, outgoing)
      if ('raw' in response) response.type('application/json').send(JSON.stringify(answer))
      else response.json(answer)
    }
  }
  const guard: CanActivate = {
    async canActivate(execution: ExecutionContext): Promise<boolean> {
      const request = execution.switchToHttp().getRequest<AnyRequest>()
      app.early()
      request.user = await app.authenticate(request.headers)
      return true
    },
  }
  const filter = {
    catch(error: unknown, host: ExecutionContext) {
      host.switchToHttp().getResponse<Response>().status(500).send(app.failure(error))
    },
  }
  return {
    module: class Root {},
    imports: [ErrandModule.forRoot({ context: app.options })],
    controllers: [AnyController],
    providers: [
      { provide: APP_GUARD, useValue: guard },
      { provide: APP_FILTER, useValue: filter },
    ],
  }
}

const facts: HttpHandler = async ({ mount, path }) => Response.json({ mount, path })

class RefuseAll implements CanActivate {
  canActivate(): boolean {
    return false
  }
}

@Controller('guarded')
@UseGuards(RefuseAll)
class GuardedController {
  @asyncTask({ result: true })
  @Get()
  async who(): Promise<string> {
    return `asked by ${context().user?.id}`
  }
}

@Module({ imports: [ErrandModule.forRoot({ handlers: { async: facts } })], controllers: [GuardedController] })
class AppModule {}

describe('ErrandModule', () => {
  const scope = eachScope()

  for (const [platform, create] of Object.entries(PLATFORMS)) {
    async function start(root: object, prefix = ''): Promise<HttpClient> {
      const nest = await create(root)
      nest.setGlobalPrefix(prefix)
      const { port, close } = await listen(nest)
      scope().defer(close)
      return new HttpClient(port)
    }

    it(`mounts handlers below the global prefix on ${platform}`, async () => {
      const client = await start({ module: class Root {}, imports: [ErrandModule.forRoot({ handlers: { async: facts } })] }, 'api')

      expect(await client.json('/api/async/report/order')).to.deep.equal({ mount: '/api/async', path: '/report/order' })
      expect((await client.send('/async/report/order')).status).to.equal(404)
    })

    it(`lets the guards of the application hold for handlers on ${platform}`, async () => {
      const root = {
        module: class Root {},
        imports: [ErrandModule.forRoot({ handlers: { async: facts } })],
        providers: [{ provide: APP_GUARD, useClass: RefuseAll }],
      }
      const client = await start(root)

      expect((await client.send('/async/report/order')).status).to.equal(403)
    })
  }

  it('does nothing in a worker, where nothing of HTTP runs: no guard comes between a message and its task', async () => {
    await using container = await nestContainer(AppModule)

    const controller = await container.resolve(GuardedController)

    expect(await withContext({ user: { id: 'ada' } }, async () => controller && original(controller, 'who')())).to.equal('asked by ada')
  })

  it('refuses options that it does not know', async () => {
    const refused: unknown = await ErrandModule.forRoot({ contxt: {} } as object).catch((error: unknown) => error)

    expect(refused).to.include({ code: 'OPTION_INVALID' }).and.to.have.property('message').that.includes('Did you mean "context"?')
  })
})
