import type { Log } from '../audit/log.ts'
import type { Traces } from '../audit/traces.ts'
import type { TracesSettings } from '../config/config.ts'

export interface OpenedTraces {
  readonly traces: Traces
  /** Sends what has not been sent yet, and nothing more. */
  close(): Promise<void>
}

/** What an operator who wants traces installs beside the gateway. */
const packages = ['@opentelemetry/sdk-trace', '@opentelemetry/resources', '@opentelemetry/exporter-trace-otlp-http']

/** For one delivery, in milliseconds. */
const deliveryMs = 5000

/**
 * Begins to make spans and to send them. What that takes is loaded here and nowhere else: without traces it costs nothing.
 * @param load throws ERR_MODULE_NOT_FOUND where a package is missing
 * @returns a sentence where the packages are missing
 */
export async function openTraces(
  settings: TracesSettings,
  log: Log,
  load = loadPackages,
): Promise<OpenedTraces | { readonly mistake: string }> {
  const loaded = await load().catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  })
  if (!loaded) {
    return {
      mistake: `traces: the packages for them are not installed. Install them beside the gateway (docs/operations.md says how), or set \`traces: off\`: ${packages.join(', ')}.`,
    }
  }
  const { createTraces, sdk, resources, otlp } = loaded
  const exporter = new otlp.OTLPTraceExporter({ url: settings.endpoint.href, timeoutMillis: deliveryMs })
  const provider = new sdk.TracerProvider({
    resource: resources.resourceFromAttributes({ 'service.name': settings.serviceName }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(settings.sample) }),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter: telling(exporter, log), exportTimeoutMillis: deliveryMs })],
  })
  return {
    traces: createTraces(provider.getTracer('fhir-policy-gateway'), settings.incoming),
    // That the collector cannot be reached has been told, and holds nobody up.
    close: () => provider.shutdown().catch(() => {}),
  }
}

async function loadPackages() {
  const [sdk, resources, otlp, { createTraces }] = await Promise.all([
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('../audit/traces.ts'),
  ])
  return { sdk, resources, otlp, createTraces }
}

type SpanExporter = import('@opentelemetry/sdk-trace').SpanExporter

/** Tells when spans begin to be lost, and when they arrive again; not of each time. */
function telling(exporter: SpanExporter, log: Log): SpanExporter {
  let lost = false
  return {
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
    export(spans, told) {
      exporter.export(spans, (result) => {
        const { error } = result
        if (error && !lost) log.warn({ error }, 'spans are not delivered')
        if (!error && lost) log.info({}, 'spans are delivered again')
        lost = error !== undefined
        told(result)
      })
    },
  }
}
