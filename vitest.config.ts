import { defineConfig } from 'vitest/config'

/** unit: no network, the fuzzers and the pure parts of the benchmark too. gateway: the whole program in process. hapi: a real HAPI (npm run test:hapi). */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['unit', 'policies', 'fuzz', 'bench'].map((folder) => `test/${folder}/**/*.test.ts`),
          // Properties take seconds on a machine that is busy with other things.
          testTimeout: 30_000,
        },
      },
      { test: { name: 'gateway', include: ['test/gateway/**/*.test.ts'], testTimeout: 20_000, hookTimeout: 20_000 } },
      {
        test: {
          name: 'hapi',
          include: ['test/hapi/**/*.test.ts'],
          globalSetup: ['test/hapi/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
