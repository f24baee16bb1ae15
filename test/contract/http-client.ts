import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { Agent, ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http'

export interface Sent {
  readonly method?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Uint8Array
  readonly agent?: Agent | false
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  /** Of the client's end of the connection. */
  readonly localPort: number | undefined
}

/** A client of one application, over sockets. */
export class HttpClient {
  readonly port: number

  constructor(port: number) {
    this.port = port
  }

  async send(path: string, sent: Sent = {}): Promise<Answer> {
    const response = await this.open(path, sent)
    const localPort = response.socket.localPort
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    return { status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString(), localPort }
  }

  async json(path: string, sent: Sent = {}): Promise<Readonly<Record<string, unknown>>> {
    const { status, text } = await this.send(path, sent)
    if (status !== 200) throw new Error(`${path} answered ${status}: ${text}`)
    // what it is, the test says next
    return JSON.parse(text) as Readonly<Record<string, unknown>>
  }

  /** The response as soon as its headers are here; its body is read by the caller. */
  async open(path: string, sent: Sent = {}): Promise<IncomingMessage> {
    const outgoing = this.start(path, sent)
    const answered = once(outgoing, 'response') as Promise<[IncomingMessage]> // documented by Node
    outgoing.end(sent.body)
    return (await answered)[0]
  }

  /** A request whose body has not been sent. */
  start(path: string, { method = 'GET', headers = {}, agent = false }: Sent = {}): ClientRequest {
    return httpRequest({ port: this.port, host: '127.0.0.1', method, path, headers, agent })
  }
}
