import 'reflect-metadata'
import { All, Controller, Inject, Injectable, Module, Req, Res, Scope } from '@nestjs/common'
import type { CanActivate, ExecutionContext, OnModuleDestroy } from '@nestjs/common'
import { APP_FILTER, APP_GUARD, NestFactory, REQUEST } from '@nestjs/core'
import { expect } from 'chai'
import type { Request, Response } from 'express'
import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { withContext, type Context } from 'errand'
import { nestContainer, nestModuleOf, requestContext } from 'errand/nest'
import { frameworkContract, type AppUnderTest } from '../contract/framework-contract.js'

function nestModule(app: AppUnderTest): object {
  @Controller()
  class AnyController {
    @All(['/', '/*path'])
    async answer(@Req() request: Request, @Res() response: Response): Promise<void> {
      response.json(await app.handle(request.path, request, response))
    }
  }
  const guard: CanActivate = {
    async canActivate(execution: ExecutionContext): Promise<boolean> {
      const request = execution.switchToHttp().getRequest<Request & { user?: unknown }>()
      request.user = await app.authenticate(request.headers)
      return true
    },
  }
  const filter = {
    catch(error: unknown, host: ExecutionContext) {
      host.switchToHttp().getResponse<Response>().status(500).json(app.failure(error))
    },
  }
  return {
    controllers: [AnyController],
    providers: [
      { provide: APP_GUARD, useValue: guard },
      { provide: APP_FILTER, useValue: filter },
    ],
  }
}

frameworkContract('NestJS', async (app) => {
  const nest = await NestFactory.create(nestModule(app), { logger: false, abortOnError: false, forceCloseConnections: true })
  nest.use(requestContext(app.options))
  nest.use((_request: unknown, _response: unknown, next: () => void) => {
    app.early()
    next()
  })
  await nest.listen(0, '127.0.0.1')
  return { port: Number(new URL(await nest.getUrl()).port), close: () => nest.close() }
})

@Injectable()
class Smtp implements OnModuleDestroy {
  closed = 0
  onModuleDestroy(): void {
    this.closed++
  }
}

@Injectable()
class MailService {
  readonly smtp: Smtp
  constructor(smtp: Smtp) {
    this.smtp = smtp
  }
}

@Injectable({ scope: Scope.REQUEST })
class Tenant {
  readonly caller: Context
  readonly mail: MailService
  constructor(@Inject(REQUEST) caller: Context, mail: MailService) {
    this.caller = caller
    this.mail = mail
  }
}

@Controller()
class SignUp {
  readonly mail: MailService
  constructor(mail: MailService) {
    this.mail = mail
  }
}

@Module({ providers: [Smtp, MailService, Tenant], controllers: [SignUp] })
class MailModule {}

@Module({ imports: [MailModule] })
class AppModule {}

class Stranger {}

describe('nestContainer', () => {
  it('answers providers and controllers of every module with what they inject, always the same ones', async () => {
    await using container = await nestContainer(AppModule)

    const mail = await container.resolve(MailService)

    expect(mail).to.be.instanceOf(MailService)
    expect(mail?.smtp).to.be.instanceOf(Smtp).and.to.equal(await container.resolve(Smtp))
    expect((await container.resolve(SignUp))?.mail).to.equal(mail)
    expect(await container.resolve(MailService)).to.equal(mail)
  })

  it('makes a request-scoped provider for each caller', async () => {
    await using container = await nestContainer(AppModule)

    const resolveFor = (id: string) => withContext({ user: { id } }, () => container.resolve(Tenant))
    const [ada, grace] = await Promise.all([resolveFor('ada'), resolveFor('grace')])

    expect(ada?.caller.user).to.deep.equal({ id: 'ada' })
    expect(grace?.caller.user).to.deep.equal({ id: 'grace' })
    expect(ada?.mail).to.equal(grace?.mail).and.to.be.instanceOf(MailService)
  })

  it('answers nothing for a class that no module provides', async () => {
    await using container = await nestContainer(AppModule)

    expect(await container.resolve(Stranger)).to.equal(undefined)
  })

  it('runs the shutdown hooks once when closed twice', async () => {
    const container = await nestContainer(AppModule)
    const smtp = await container.resolve(Smtp)

    await Promise.all([container.close(), container.close()])

    expect(smtp?.closed).to.equal(1)
  })

  it('says that the application cannot be made, and why, and lets the process live', async () => {
    @Module({ providers: [{ provide: 'db', useFactory: () => Promise.reject(new TypeError('no database')) }] })
    class BrokenModule {}

    const failure: unknown = await nestContainer(BrokenModule, { logger: false }).catch((error: unknown) => error)

    expect(failure).to.include({ code: 'SERVICE_LOAD_FAILED' }).and.to.have.property('message').that.includes('BrokenModule')
    expect(failure).to.have.nested.property('cause.message', 'no database')
  })

  it('names the command that installs Nest where it is missing', async function () {
    this.timeout(120_000) // a process starts
    const folder = await mkdtemp(join(tmpdir(), 'errand-nest-'))
    const dist = dirname(dirname(createRequire(import.meta.url).resolve('errand/nest')))
    await cp(dist, join(folder, 'src'), { recursive: true })
    await writeFile(join(folder, 'package.json'), '{"type":"module"}')
    await writeFile(
      join(folder, 'main.js'),
      `import { nestContainer } from './src/frameworks/nest.js'
       await nestContainer(class App {}).catch((error) => console.log(error.code, error.message))`,
    )

    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'main.js')])

    await rm(folder, { recursive: true })
    expect(stdout).to.match(/^PACKAGE_MISSING .*npm install @nestjs\/core/)
  })
})

describe('nestModuleOf', () => {
  it('finds the one module among the exports of a file', () => {
    expect(nestModuleOf({ AppModule, MailService, SignUp, version: 1 })).to.equal(AppModule)
  })

  it('finds none where there is none, or more than one', () => {
    expect(nestModuleOf({ MailService })).to.equal(undefined)
    expect(nestModuleOf({ AppModule, MailModule })).to.equal(undefined)
  })
})
