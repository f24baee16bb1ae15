import { connect } from 'node:net'

/** Whether a server answers the protocol header; an open port alone says too little. */
export function answersAmqp(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host, timeout: 2000 })
    const answer = (is: boolean): void => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', () => socket.write(Buffer.from('AMQP\x00\x00\x09\x01', 'latin1')))
    socket.once('data', () => answer(true))
    for (const event of ['error', 'close', 'timeout']) socket.once(event, () => answer(false))
  })
}
