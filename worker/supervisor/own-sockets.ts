import type { Server } from 'node:net'
import { processState } from '../../src/core/process-state.js'

/** Sockets of the library itself: they open also where modules of the application may open none. */
export const ownSockets = processState('sockets', () => new WeakSet<Server>())
