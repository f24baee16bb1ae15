import { Module } from '@nestjs/common'
import { MailService, Templates } from './mail.service.js'
import { SignUpController } from './sign-up.controller.js'

@Module({ providers: [Templates, MailService], controllers: [SignUpController] })
export class AppModule {}
