import { schedulesEndToEnd } from '../contract/schedules-end-to-end.js'

schedulesEndToEnd('SQLite', async () => ({}))
schedulesEndToEnd('SQLite, with nothing kept', async () => ({ store: 'off' }))
