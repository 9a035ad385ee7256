import { build } from './build.mjs'
import { ensureInstalled } from './installed.mjs'

ensureInstalled()
build()
// In this very process, so that a SIGTERM reaches the server.
await import('../dist/main.js')
