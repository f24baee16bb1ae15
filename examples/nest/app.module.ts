import { Module } from '@nestjs/common'
import { MailService, Templates } from './mail.service.js'
import { SignUpController } from './sign-up.controller.js'

@Module({ providers: [Templates, MailService], controllers: [SignUpController] })
// oxlint-disable-next-line no-extraneous-class -- all there is to a module is its decorator
export class AppModule {}
