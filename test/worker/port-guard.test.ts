import { expect } from 'chai'
import { once } from 'node:events'
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import { createServer } from 'node:net'
import express from 'express'
import fastify from 'fastify'
import { silentLogger } from '#src/core/logger.js'
import { guardPorts } from '#worker/port-guard.js'
import { ownSockets } from '#worker/supervisor/own-sockets.js'
import { freePort } from '../kit/free-port.js'
import { isOpen } from '../kit/ports.js'
import { eachScope } from '../kit/temporary.js'

describe('A module that listens inside a worker', () => {
  const scope = eachScope()
  let port = 0
  let lines: string[] = []
  let lift = (): void => {}

  beforeEach(async () => {
    port = await freePort()
    lines = []
    lift = guardPorts({ ...silentLogger, info: (line) => void lines.push(line) })
    scope().defer(() => lift())
  })

  it('opens no port, and sees its callback and address all the same', async () => {
    const server = createHttpServer()

    const listening = new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    expect(server.listening).to.equal(true)
    await listening

    expect(server.address()).to.deep.equal({ address: '127.0.0.1', port, family: 'IPv4' })
    expect(await isOpen(port)).to.equal(false)
    expect(lines).to.deep.equal([`A module asked to listen on port ${port}; a worker opens no ports ("worker.listen: true" lets it).`])
  })

  it('may be an Express application', async () => {
    const server = await new Promise<HttpServer>((resolve) => {
      const opened: HttpServer = express().listen(port, () => resolve(opened))
    })

    expect(server.address()).to.include({ port })
    expect(await isOpen(port)).to.equal(false)
    await new Promise((resolve) => server.close(resolve))
  })

  for (const host of ['127.0.0.1', 'localhost', '::']) {
    it(`may be a Fastify application on ${host}, and close it again`, async () => {
      const app = fastify()

      const url = await app.listen({ port, host })

      expect(url).to.contain(String(port))
      expect(await isOpen(port)).to.equal(false)
      await app.close()
    })
  }

  it('may ask for a path, for any port, and to end', async () => {
    const path = createServer().listen({ path: scope().file('app.sock') })
    const any = createServer().listen()
    await Promise.all([once(path, 'listening'), once(any, 'listening')])

    expect(path.address()).to.equal(scope().file('app.sock'))
    expect(any.address()).to.include({ port: 0 })

    path.unref().ref().close()
    await once(path, 'close')
    expect(path.listening).to.equal(false)
  })

  it('does not hear that it listens when it closed at once', async () => {
    const heard: string[] = []
    const server = createServer().on('listening', () => heard.push('listening'))

    server.listen(port).close(() => heard.push('close'))
    await once(server, 'close')

    expect(heard).to.deep.equal(['close'])
  })

  it('gets its ports again when the guard is lifted', async () => {
    lift()

    const server = createServer().listen(port, '127.0.0.1')
    scope().defer(() => server.close())
    await once(server, 'listening')

    expect(await isOpen(port)).to.equal(true)
  })

  it('does not keep the library from sockets of its own', async () => {
    const server = createServer()
    ownSockets.add(server)

    server.listen(port, '127.0.0.1')
    scope().defer(() => server.close())
    await once(server, 'listening')

    expect(await isOpen(port)).to.equal(true)
  })
})
