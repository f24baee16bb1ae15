import { Injectable } from '@nestjs/common'
import { asyncTask, context } from 'errand'
import { deliver } from '../postbox.js'

@Injectable()
export class Templates {
  welcome(name: string): string {
    return `Welcome, says ${name}`
  }
}

@Injectable()
export class MailService {
  constructor(private readonly templates: Templates) {}

  @asyncTask()
  async sendWelcome(to: string): Promise<void> {
    await deliver(to, this.templates.welcome(context().user?.name ?? 'nobody'))
  }
}
