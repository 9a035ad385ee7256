import { build } from './build.mjs'
import { ensureInstalled } from './installed.mjs'

ensureInstalled()
build()
// In this very process, so that a SIGTERM reaches the server. For the same reason package.json says `exec`, without which
// the shell between npm and node keeps the signal; a shell that has no `exec` (Windows) goes on to the plain command.
await import('../dist/main.js')
