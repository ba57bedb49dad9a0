/** Loaded with `node --import`: a machine on which no port is free, as `listen` reports it. */
import { Server } from 'node:net'

Server.prototype.listen = function listen() {
  const error = new Error('listen EADDRINUSE: address already in use 127.0.0.1')
  Object.assign(error, { code: 'EADDRINUSE', syscall: 'listen', address: '127.0.0.1' })
  queueMicrotask(() => this.emit('error', error))
  return this
}
