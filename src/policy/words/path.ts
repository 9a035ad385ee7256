import { sliceKeys, type Key, type Path, type Step } from '../path.ts'
import { code } from './page.ts'

/** A path as it was meant where it is used: of a part that is used `on` a variable, with that variable. */
export function tellPath({ root, steps }: Path): string {
  const names = steps.map(tellStep)
  return code([...(root === '$this' && names.length > 0 ? [] : [root]), ...names].join('.'))
}

function tellStep({ name, keys, type, selector }: Step): string {
  const [first, ...further] = keys
  const sliced = first && isSlice(name, first)
  return [
    sliced ? `${name}(${first.values.map(quoted).join(', ')})` : name,
    ...(type === undefined ? [] : [`.ofType(${type})`]),
    ...(sliced ? further : keys).map(tellKey),
    ...(selector ? [`[${selector.names.join('.')} refers to ${selector.variable}]`] : []),
  ].join('')
}

const isSlice = (name: string, { names, of }: Key) => of === 'value' && names.join('.') === sliceKeys[name]

function tellKey({ names, values, of, system }: Key): string {
  const value = of === 'value' ? values[0]! : `${system}|${values[0]!}`
  return `[${names.join('.')} = ${quoted(value)}]`
}

const quoted = (text: string) => `'${text}'`
