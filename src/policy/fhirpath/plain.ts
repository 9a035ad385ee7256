import type { Children, Element, Resource } from '../../fhir/element.ts'
import { isExact } from './numbers.ts'
import { Unevaluable } from './unevaluable.ts'

/** An object of FHIR JSON, without a prototype: the names in it are the client's to choose. */
export type Plain = Record<string, unknown>

/**
 * A resource as the plain values that the fhirpath package reads, whichever format it came in: FHIR JSON's objects and lists,
 * `x` and `_x`. Numbers are given as the package's own decimals, which keep their digits. A number with more digits than
 * FHIRPath's decimals have would equal its neighbours: it throws when it is looked at, so that other expressions are not
 * disturbed.
 * @param decimal makes a number of the package from digits
 * @throws {Unevaluable} for a resource that has an element of the name by which FHIR JSON tells resources
 */
export function toPlain(resource: Resource, decimal: (text: string) => unknown): Plain {
  return new PlainWriter(decimal).object(resource)
}

class PlainWriter {
  readonly decimal: (text: string) => unknown

  constructor(decimal: (text: string) => unknown) {
    this.decimal = decimal
  }

  object(element: Element): Plain {
    const plain: Plain = Object.create(null) as Plain
    if (element.resource) plain.resourceType = element.type
    for (const [name, group] of element.children) {
      if (name === 'resourceType') throw new Unevaluable('An element has the name that tells a resource.')
      this.group(plain, name, group)
    }
    return plain
  }

  group(plain: Plain, name: string, { list, items }: Children): void {
    if (!list) {
      const [item] = items
      if (!isPrimitive(item!)) plain[name] = this.object(item!)
      else {
        if (item!.value) this.value(plain, name, item!)
        if (item!.children.size > 0) plain[`_${name}`] = this.object(item!)
      }
      return
    }
    if (items.some((item) => item.value !== undefined || !isPrimitive(item))) {
      const values: unknown[] = []
      items.forEach((item, index) => {
        if (!isPrimitive(item)) values[index] = this.object(item)
        else if (item.value) this.value(values, index, item)
        else values[index] = null
      })
      plain[name] = values
    }
    if (items.some((item) => isPrimitive(item) && item.children.size > 0)) {
      plain[`_${name}`] = items.map((item) => (isPrimitive(item) && item.children.size > 0 ? this.object(item) : null))
    }
  }

  value(holder: object, key: string | number, { type, value }: Element): void {
    switch (value!.kind) {
      case 'string':
        // The package makes a number of it, however long it is.
        if (type === 'integer64' && !isExact(value!.text)) hide(holder, key)
        else Reflect.set(holder, key, value!.text)
        return
      case 'boolean':
        Reflect.set(holder, key, value!.text === 'true')
        return
      case 'number':
        if (isExact(value!.text)) Reflect.set(holder, key, this.decimal(value!.text))
        else hide(holder, key)
    }
  }
}

/** As FHIR JSON writes it: FHIR's primitive types are in lower case; of an undefined element only its value tells. */
function isPrimitive(element: Element): boolean {
  return element.value !== undefined || (element.type !== undefined && !element.resource && /^[a-z]/.test(element.type))
}

function hide(holder: object, key: string | number): void {
  Object.defineProperty(holder, key, {
    enumerable: true,
    configurable: true,
    get() {
      throw new Unevaluable('FHIRPath cannot see this as it is.')
    },
  })
}
