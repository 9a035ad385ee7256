import { dirname, join, resolve } from 'node:path'
import type { Case } from '../cases/case.ts'
import { caseFileEnding, readCaseFile, readCases, type CaseFileRead } from '../cases/case-file.ts'
import { readGatewayFile } from '../config/gateway-file.ts'
import { isPolicyText, loadPolicy, shown } from '../config/load.ts'
import type { Policy } from '../policy/policy.ts'
import { writeDiagnostic, type Diagnostic } from '../policy/source.ts'
import { trackFiles, type TrackedFiles } from './tracked-files.ts'

/** A policy with all the cases that are to be run. */
export interface Suite {
  /** As messages show it. */
  readonly policyFile: string
  readonly policy: Policy
  readonly cases: readonly Case[]
  /** The case files that were read; none where the policy has none. */
  readonly caseFiles: readonly string[]
}

export interface SuitesRead {
  readonly suites: readonly Suite[]
  /** Everything that is wrong, each as text for a terminal. */
  readonly mistakes: readonly string[]
}

/**
 * Finds the policies and the case files that the command line names, and reads them.
 * @param paths policy files, case files, folders or files of a config, and folders of case files
 */
export function readSuites(paths: readonly string[], files: TrackedFiles = trackFiles()): SuitesRead {
  return new SuiteReader(files).read(paths)
}

/** A case file that was found; its cases are read when its policy is there. */
interface FoundCases {
  readonly file: string
  readonly read: CaseFileRead
  /** Absolute. */
  readonly policyFile: string
}

class SuiteReader {
  readonly #mistakes: string[] = []
  readonly #files: TrackedFiles
  /** Absolute path of a policy file → its case files that were asked for, by absolute path. */
  readonly #wanted = new Map<string, Map<string, FoundCases>>()

  constructor(files: TrackedFiles) {
    this.#files = files
  }

  read(paths: readonly string[]): SuitesRead {
    for (const path of paths) this.#find(resolve(path))
    const suites = [...this.#wanted].flatMap(([policyFile, found]) => this.#suite(policyFile, [...found.values()]))
    return { suites, mistakes: [...new Set(this.#mistakes)] }
  }

  #find(path: string): void {
    if (caseFileEnding.test(path)) return this.#findCaseFile(path)
    const gatewayFile = join(path, 'gateway.yaml')
    if (!this.#files.isFolder(path)) return this.#findFile(path)
    if (this.#files.text(gatewayFile) !== undefined) return this.#findConfig(gatewayFile)
    const found = this.#casesIn(path)
    if (found.length === 0) {
      this.#mistakes.push(`There is neither a gateway.yaml nor a case file (NAME.cases.yaml) in ${shown(path)}.`)
    }
    for (const one of found) this.#want(one)
  }

  #findCaseFile(path: string): void {
    const found = this.#caseFile(path)
    if (found) this.#want(found)
    else this.#mistakes.push(`There is no file ${shown(path)}.`)
  }

  /** A policy with its cases, or the file of a config under another name. */
  #findFile(path: string): void {
    const text = this.#files.text(path)
    if (text === undefined) this.#mistakes.push(`There is no file ${shown(path)}.`)
    else if (/^bases\s*:/m.test(text) && !isPolicyText(text)) this.#findConfig(path)
    else {
      this.#wantPolicy(path)
      const found = this.#casesIn(dirname(path)).filter(({ policyFile }) => policyFile === path)
      if (found.length === 0) {
        const name = path.replace(/^.*[/\\]/, '').replace(/\.ya?ml$/, '')
        this.#mistakes.push(`${shown(path)} has no cases: put them beside it, in ${name}.cases.yaml.`)
      }
      for (const one of found) this.#want(one)
    }
  }

  /** The policies of a config, and those beside them that have cases. */
  #findConfig(path: string): void {
    const { source, settings, diagnostics } = readGatewayFile(shown(path), this.#files.text(path) ?? '')
    this.#tell(diagnostics)
    const policies = (settings?.bases ?? []).map((base) => resolve(dirname(path), base.policy))
    for (const [i, policyFile] of policies.entries()) {
      if (this.#files.text(policyFile) !== undefined) this.#wantPolicy(policyFile)
      else this.#tell([source.diagnose(['bases', i, 'policy'], `There is no file \`${shown(policyFile)}\`.`)])
    }
    for (const folder of new Set(policies.map((policyFile) => dirname(policyFile)))) {
      for (const one of this.#casesIn(folder)) this.#want(one)
    }
  }

  #wantPolicy(policyFile: string): Map<string, FoundCases> {
    const known = this.#wanted.get(policyFile) ?? new Map<string, FoundCases>()
    this.#wanted.set(policyFile, known)
    return known
  }

  #want(found: FoundCases): void {
    this.#wantPolicy(found.policyFile).set(found.file, found)
  }

  #casesIn(folder: string): FoundCases[] {
    return this.#files.names(folder, caseFileEnding).flatMap((name) => this.#caseFile(join(folder, name)) ?? [])
  }

  #caseFile(file: string): FoundCases | undefined {
    const text = this.#files.text(file)
    if (text === undefined) return undefined
    const read = readCaseFile(shown(file), text)
    return { file, read, policyFile: resolve(dirname(file), read.ok ? read.file.policy : read.policy) }
  }

  #suite(policyFile: string, found: readonly FoundCases[]): Suite[] {
    for (const { read } of found) if (!read.ok) this.#tell(read.diagnostics)
    const policy = this.#policy(policyFile, found)
    if (!policy) return []
    const cases = found.flatMap(({ file, read }) => {
      if (!read.ok) return []
      const known = readCases(read.file, policy, (path) => this.#files.bytes(resolve(dirname(file), path)))
      if (known.ok) return known.cases
      this.#tell(known.diagnostics)
      return []
    })
    const caseFiles = found.map(({ file }) => shown(file))
    return [{ policyFile: shown(policyFile), policy, cases, caseFiles }]
  }

  #policy(policyFile: string, found: readonly FoundCases[]): Policy | undefined {
    const loaded = loadPolicy(policyFile, this.#files.read)
    if (loaded.ok) return loaded.policy
    if ('diagnostics' in loaded) this.#tell(loaded.diagnostics)
    else {
      for (const { file, read } of found) {
        const message = `There is no policy file \`${shown(policyFile)}\`.`
        if (read.ok) this.#tell([read.file.source.diagnose(['policy'], message)])
        else this.#mistakes.push(`${shown(file)}: ${message}`)
      }
    }
    return undefined
  }

  #tell(diagnostics: readonly Diagnostic[]): void {
    for (const diagnostic of diagnostics) this.#mistakes.push(writeDiagnostic(diagnostic))
  }
}
