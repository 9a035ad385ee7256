import { ensureInstalled } from './installed.mjs'

ensureInstalled()
// Vite reads TypeScript, as it does for the tests: Node 20 by itself does not.
const { runnerImport } = await import('vite')
await runnerImport('./test/bench/invariants.ts')
