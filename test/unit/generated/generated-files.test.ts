import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { generatedFiles } from '../../../scripts/generate/generated-files.ts'

const files = [...(await generatedFiles())]

describe('what is generated from the sources', () => {
  it.each(files)('%s is as `npm run generate` writes it', (path, text) => {
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  it('has no schema on disk that nothing generates', () => {
    const onDisk = readdirSync('config/schemas').map((name) => `config/schemas/${name}`)
    expect(onDisk.toSorted()).toEqual(
      files
        .map(([path]) => path)
        .filter((path) => path.startsWith('config/'))
        .toSorted(),
    )
  })
})
