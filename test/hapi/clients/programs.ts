import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { ensureHapiClientJar, java } from '../../../scripts/hapi-jars.mjs'
import type { Step, Work } from './day.ts'

/** Builds the program with HAPI's Java client when need be. Throws when Java or Maven is missing. */
export function javaDay(encoding: 'JSON' | 'XML'): Work {
  return async (baseUrl, patient) => steps(await run(java, ['-jar', ensureHapiClientJar(), baseUrl, encoding, patient]))
}

/** Installs the Python client into a venv of its own when need be. Throws when Python or venv is missing. */
export const pythonDay: Work = async (baseUrl, patient) =>
  steps(await run(await ensurePythonClient(), [fileOfPython('day.py'), baseUrl, patient]))

const fileOfPython = (name: string) => fileURLToPath(new URL(`python/${name}`, import.meta.url))

async function ensurePythonClient(): Promise<string> {
  const python = fileOfPython('.venv/bin/python')
  const wanted = fileOfPython('requirements.txt')
  // The last thing that an installation writes: without it there was none, or it was cut off.
  const installed = fileOfPython('.venv/requirements.txt')
  if (existsSync(installed) && readFileSync(installed, 'utf8') === readFileSync(wanted, 'utf8')) return python

  console.error('Installing the Python client for the tests (some 5 MB) …')
  await run('python3', ['-c', 'import sys, venv, ensurepip; assert sys.version_info >= (3, 10), sys.version']).catch(
    (cause: Error) => {
      throw new Error(`The test of the Python client needs Python 3.10 or later with venv. ${cause.message}`, { cause })
    },
  )
  await run('python3', ['-m', 'venv', '--clear', fileOfPython('.venv')])
  const quietly = ['--quiet', '--no-input', '--disable-pip-version-check']
  await run(python, ['-m', 'pip', 'install', ...quietly, '-r', wanted])
  await copyFile(wanted, installed)
  return python
}

/** What a program writes to standard output. Throws with what it complained of when it does not run or fails. */
async function run(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = await once(child, 'close').catch((cause: Error) => {
    throw new Error(`\`${program}\` does not run: ${cause.message}`, { cause })
  })
  const [written, complaints] = await output
  if (code !== 0) throw new Error(`\`${program} ${args.join(' ')}\` failed.\n${written}\n${complaints}`)
  return written
}

const steps = (lines: string) =>
  lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Step)
