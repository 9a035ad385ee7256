import { describe, expect, it } from 'vitest'
import { selfTimes } from './profile-places.ts'

const frame = (id: number, functionName: string, url: string, lineNumber = 9) => ({
  id,
  callFrame: { functionName, url, lineNumber },
})

const profile = {
  nodes: [
    frame(1, '(idle)', ''),
    frame(2, '(garbage collector)', ''),
    frame(3, 'parseJson', 'file:///app/dist/fhir/json.js'),
    frame(4, '', 'file:///app/dist/fhir/json.js', 20),
    frame(5, 'write', 'file:///app/node_modules/@scope/a/node_modules/undici/lib/client.js'),
    frame(6, 'onread', 'node:internal/stream_base_commons'),
    frame(7, 'writev', ''),
  ],
  samples: [1, 2, 3, 4, 3, 5, 6, 7],
  timeDeltas: [1000, 50, 100, 10, 100, 40, 30, 20],
}

describe('a profile', () => {
  it('is summed up by file of ours, package and module of Node’s, without what was idle', () => {
    expect(selfTimes(profile).places).toEqual([
      { name: 'src/fhir/json.ts', microseconds: 210 },
      { name: '(garbage collector)', microseconds: 50 },
      { name: 'undici', microseconds: 40 },
      { name: 'node:internal/stream_base_commons', microseconds: 30 },
      { name: 'built into V8 and Node', microseconds: 20 },
    ])
  })

  it('is summed up by function', () => {
    expect(selfTimes(profile).functions.slice(0, 3)).toEqual([
      { name: 'parseJson src/fhir/json.ts:10', microseconds: 200 },
      { name: '(garbage collector)', microseconds: 50 },
      { name: 'write undici/lib/client.js:10', microseconds: 40 },
    ])
  })
})
