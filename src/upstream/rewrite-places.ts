/** What may be rewritten in a value and in what is below it. */
export interface Places {
  /** `url`: the whole value is a URL. `text`: URLs may occur in it. */
  readonly place?: 'url' | 'text'
  /** A resource stands there: the places in it by its type. Of another type, it is told on as it is. */
  readonly resources?: ReadonlyMap<string, Places>
  readonly members?: ReadonlyMap<string, Places>
  /** Of the members that are not named. */
  readonly others?: Places
}

const url: Places = { place: 'url' }
const text: Places = { place: 'text' }
const everyString: { place: 'url'; others?: Places } = { place: 'url' }
everyString.others = everyString

/** @param places by their paths: names from the resource on, without indexes */
function placesAt(places: Readonly<Record<string, Places>>): Places {
  const members = new Map<string, Places>()
  for (const [path, place] of Object.entries(places)) {
    const [name = '', ...below] = path.split('.')
    const prefix = `${name}.`
    const inside = Object.entries(places).flatMap(([other, one]) =>
      other.startsWith(prefix) ? [[other.slice(prefix.length), one] as const] : [],
    )
    members.set(name, below.length === 0 ? place : placesAt(Object.fromEntries(inside)))
  }
  return { members }
}

const outcomes: Places = {
  resources: new Map([
    ['OperationOutcome', placesAt({ 'issue.diagnostics': text, 'issue.details.text': text, 'text.div': text })],
  ]),
}

/** @param resource what may stand in its entries */
const bundleOf = (resource: Places) =>
  placesAt({
    'link.url': url,
    'entry.link.url': url,
    'entry.fullUrl': url,
    'entry.request.url': url,
    'entry.response.location': url,
    'entry.response.outcome': outcomes,
    'entry.resource': resource,
  })

const answerOf = (resource: Places): Places => ({
  resources: new Map([...outcomes.resources!, ['Bundle', bundleOf(resource)], ['CapabilityStatement', everyString]]),
})

/**
 * Where a server writes URLs of its own in its answer. The resources on a page of a search or a history are content, also a
 * Bundle or a CapabilityStatement that somebody has stored: clients send them back, and what was rewritten in them would be a
 * change that nobody made.
 */
export const inAnswer: Places = answerOf(outcomes)

/** The same in the answer to a transaction: what stands in its entries are answers in their turn. */
export const inTransactionAnswer: Places = answerOf(inAnswer)
