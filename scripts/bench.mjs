import { build } from './build.mjs'
import { ensureInstalled, root } from './installed.mjs'

ensureInstalled()
build()
// Its peers and the load generator are no dependencies of the project: they have a package.json of their own.
ensureInstalled(`${root}/test/bench/peers`)
// Vite reads TypeScript, as it does for the tests: Node 20 by itself does not.
const { runnerImport } = await import('vite')
await runnerImport('./test/bench/main.ts')
