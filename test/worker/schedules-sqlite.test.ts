import { schedulesEndToEnd } from '../contract/schedules-end-to-end.js'

schedulesEndToEnd('SQLite', async () => ({}))
