import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common'
import { asyncTask, context } from 'errand'
import { deliver } from '../postbox.js'
// oxlint-disable-next-line consistent-type-imports -- Nest reads the class from the metadata of the constructor
import { MailService } from './mail.service.js'

export class SignUp {
  email = ''
}

@Controller()
export class SignUpController {
  constructor(private readonly mail: MailService) {}

  @Post('sign-up')
  @HttpCode(202)
  async signUp(@Body() body: SignUp): Promise<void> {
    await this.mail.sendWelcome(body.email)
  }

  /** A route and a task at once: the route answers when the message is safe, and the body runs in the worker. */
  @asyncTask()
  @Post('newsletter')
  @HttpCode(202)
  async newsletter(@Body() body: SignUp): Promise<void> {
    await deliver(body.email, `The newsletter, asked for by a ${context().method} of ${context().user?.name}`)
  }

  @asyncTask({ result: true })
  @Get('who')
  async who(): Promise<string> {
    return `${context().user?.name}, and the worker ${this.mail === undefined ? 'has no mail service' : 'has the mail service'}`
  }
}
