import type { Policy } from '../policy.ts'
import { contentsOf } from './contents.ts'
import type { Group } from './groups.ts'
import { code, item, type Item } from './page.ts'

/** What may hold more than its rule names: nobody has looked at that. */
export function openSubtrees(groups: readonly Group[], policy: Policy): Item[] {
  const places = [
    ...groups.flatMap(({ title, resource }) => [
      ...(['create', 'update', 'delete'] as const).map((code) => [`${title}, ${code}`, resource[code]] as const),
      ...[...resource.operations.type, ...resource.operations.instance].map(
        ([name, { rules }]) => [`${title}, $${name}`, rules] as const,
      ),
    ]),
    ...[...policy.system.operations].map(([name, { rules }]) => [`$${name}`, rules] as const),
  ]
  return places.flatMap(([place, ruleSet]) =>
    (ruleSet ? contentsOf(ruleSet) : [])
      .filter(({ content }) => content.open)
      .map(({ trail, change }) => item(`${place}, ${code(change)}: ${trail.map(elementName).join(' › ')}`)),
  )
}

const elementName = (path: string) => (path === '`$this`' ? 'the whole resource' : path)
