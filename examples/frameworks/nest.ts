import 'reflect-metadata'
import { Module, type CanActivate, type ExecutionContext } from '@nestjs/common'
import { APP_GUARD } from '@nestjs/core'
import { ErrandModule } from 'errand/nest'
import type { Request } from 'express'
import { personOf, type Person } from './people.js'
import { report } from './services/reports.js'

/** Guards hold for what the module mounts, as for every controller. */
class SignIn implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    const request = execution.switchToHttp().getRequest<Request & { user?: Person | undefined }>()
    request.user = personOf(request.headers.authorization)
    return request.user !== undefined
  }
}

@Module({
  imports: [ErrandModule.forRoot({ orders: { async: {} }, pages: { report: { run: report } } })],
  providers: [{ provide: APP_GUARD, useClass: SignIn }],
})
export class ReportsModule {}
