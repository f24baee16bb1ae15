import { expect } from 'chai'
import type { ErrandError } from '#src/errors.js'
import { failure, load } from './loading.js'

/** The error for a configuration file with this text. */
export async function failing(text: string): Promise<ErrandError> {
  const failed = await failure(load({ 'async.config.yaml': text }, { env: 'test' }))
  expect(failed.code).to.equal('CONFIG_INVALID')
  return failed
}

/** What its message says below the first line. */
export async function problems(text: string): Promise<string> {
  const { message } = await failing(text)
  return message.slice(message.indexOf('\n') + 1)
}
