import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'amqplib'
import { assert } from 'chai'
import { startProgram, type Program } from '../kit/process.js'
import { describeRabbit, freshNamespace, sharedRabbitNode } from '../kit/rabbitmq.js'
import { eachScope, type Scope } from '../kit/temporary.js'

const TOKEN = 'planted-token-4711-0815'
const SERVER = new URL('../fixtures/secrets/server.js', import.meta.url)

describe('a token that was planted in the request', () => {
  const scope = eachScope()

  it('reaches the body, and is in no log, report, error or file of the embedded queue', async () => {
    const program = await callEverything(scope(), {})

    assertSilent(program)
    const files = filesBelow(scope().folder())
    assert.isNotEmpty(files)
    for (const file of files) assert.notInclude(readFileSync(file).toString('latin1'), TOKEN, file)
  }).timeout(120_000)
})

describeRabbit('a token that was planted in the request, on RabbitMQ', () => {
  const scope = eachScope()

  it('is in no message and no dead letter of the broker', async () => {
    const { url } = await sharedRabbitNode()
    const service = freshNamespace()
    const program = await callEverything(scope(), { BROKER: url, SERVICE: service })

    assertSilent(program)
    const messages = [...(await drain(url, `${service}.q.nobody`)), ...(await drain(url, `${service}.dead.default`))]
    assert.lengthOf(messages, 3)
    for (const message of messages) assert.notInclude(message, TOKEN)
  }).timeout(120_000)
})

async function callEverything(scope: Scope, env: Record<string, string>): Promise<Program> {
  const program = startProgram(scope, SERVER, { env: { PLANTED: `Bearer ${TOKEN}`, DATA_DIR: scope.folder(), ...env } })
  await program.line(/^all called/)
  program.kill('SIGTERM')
  await program.line(/^stopped/)
  await program.exited
  return program
}

function assertSilent({ output }: Program): void {
  assert.include(output, 'the worker has the token: true')
  assert.include(output, 'the caller was told: refused ***')
  assert.match(output, /and again: .*upstream refused \*\*\*/)
  assert.match(output, /reported .*LeakyService\.quote failed/s)
  assert.match(output, /refused: .*VALUE_UNSERIALIZABLE/s)
  assert.notInclude(output, TOKEN)
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** Every message of a queue, bytes and properties as one text. */
async function drain(url: string, queue: string): Promise<string[]> {
  const connection = await connect(url)
  try {
    const channel = await connection.createChannel()
    const texts: string[] = []
    for (;;) {
      const message = await channel.get(queue, { noAck: true })
      if (message === false) return texts
      texts.push(`${message.content.toString('latin1')} ${JSON.stringify(message.properties)}`)
    }
  } finally {
    await connection.close()
  }
}
