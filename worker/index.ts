import { loadConfig } from '../config/load.js'
