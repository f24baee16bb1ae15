import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { freePort } from './free-port.js'
import { answersAmqp } from './answers-amqp.js'
import type { RabbitNode } from './rabbit-node.js'

const START_TIMEOUT_MS = 120_000

/** A private node in a container, for machines without the server package. */
export async function startDockerNode(): Promise<RabbitNode> {
  const port = await freePort()
  const name = `errand-rabbit-${port}`
  await docker('run', '--detach', '--name', name, '--publish', `127.0.0.1:${port}:5672`, 'rabbitmq:4.1')
  const atExit = (): void => void spawnSync('docker', ['rm', '--force', '--volumes', name])
  process.once('exit', atExit)
  const remove = (): Promise<unknown> => {
    process.removeListener('exit', atExit)
    return docker('rm', '--force', '--volumes', name)
  }
  const start = async (): Promise<void> => {
    await docker('start', name)
    await answering(port)
  }
  await answering(port).catch(async (error: unknown) => {
    await remove()
    throw error
  })
  return {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    pid: Number(await docker('inspect', '--format', '{{.State.Pid}}', name)),
    kill9: async () => void (await docker('kill', name)),
    stop: async () => void (await docker('stop', name)),
    restart: async () => {
      await docker('stop', name)
      await start()
    },
    ctl: (...args) => docker('exec', name, 'rabbitmqctl', '-q', ...args),
    eval: (expression) => docker('exec', name, 'rabbitmqctl', '-q', 'eval', expression),
    [Symbol.asyncDispose]: async () => void (await remove()),
  }
}

async function docker(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('docker', [...args])
  return stdout
}

async function answering(port: number): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!(await answersAmqp(port))) {
    if (Date.now() > deadline) throw new Error(`the RabbitMQ container did not answer on port ${port}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
