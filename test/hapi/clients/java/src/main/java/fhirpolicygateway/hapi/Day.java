package fhirpolicygateway.hapi;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.rest.api.CacheControlDirective;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.api.PreferReturnEnum;
import ca.uhn.fhir.rest.api.SearchStyleEnum;
import ca.uhn.fhir.rest.client.apache.GZipContentInterceptor;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.gclient.IQuery;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.hl7.fhir.dstu3.model.Bundle;
import org.hl7.fhir.dstu3.model.CapabilityStatement;
import org.hl7.fhir.dstu3.model.Flag;
import org.hl7.fhir.dstu3.model.IdType;

/**
 * A day's work with HAPI's generic client, one line of JSON a step.
 * Arguments: the FHIR base, JSON or XML, and the patient whose flags it writes: one without any.
 */
public final class Day {
  private final IGenericClient client;
  private final String patient;
  private final Steps steps = new Steps();

  private Day(String base, EncodingEnum encoding, String patient) {
    // As it comes: the client reads the CapabilityStatement before its first request and checks the version.
    client = FhirContext.forDstu3().newRestfulGenericClient(base);
    client.setEncoding(encoding);
    this.patient = patient;
  }

  public static void main(String[] args) throws Exception {
    new Day(args[0], EncodingEnum.valueOf(args[1]), args[2]).work();
  }

  private void work() throws Exception {
    steps.does("capabilities", () -> Map.of("fhirVersion", capabilities().getFhirVersion()));

    Flag active = Flags.active(patient);
    IdType id = (IdType) client.create().resource(active).execute().getId();
    steps.does("create", () -> Map.of("id", id.getIdPart(), "version", id.getVersionIdPart()));
    steps.does(
        "create what is already removed",
        () -> given(client.create().resource(Flags.removed(active, "No.")).execute()));
    steps.does(
        "conditional create",
        () -> given(client.create().resource(active).conditionalByUrl("Flag?_id=x").execute()));
    for (int more = 0; more < 4; more++) client.create().resource(active).execute();

    Flag flag = read(id.getIdPart());
    steps.does("read", () -> given(flag));
    steps.does("read what is not there", () -> given(read("nobody")));
    steps.does(
        "read unless it is known",
        () -> Map.of("changed", readUnless(flag.getIdElement()) != null));
    steps.does("search", () -> found(flags().execute()));
    steps.does(
        "search with POST", () -> found(flags().usingStyle(SearchStyleEnum.POST).execute()));

    update(flag);
    steps.does("vread", () -> given(vread(id)));
    steps.does("history", () -> Map.of("versions", versions(id)));
    notOffered(id.toVersionless());
  }

  /** HAPI's client names the version in If-Match that the resource's id has. */
  private void update(Flag flag) throws Exception {
    Flag edited = flag.copy();
    edited.getCode().getCodingFirstRep().setDisplay("Easy Read");
    Flag removed = Flags.removed(flag, "The patient has asked for it.");
    Flag unversioned = removed.copy();
    unversioned.setId(flag.getIdElement().toVersionless());

    steps.does("update of another element", () -> given(client.update().resource(edited).execute()));
    steps.does("update without a version", () -> given(client.update().resource(unversioned).execute()));
    steps.does(
        "removal without a comment",
        () -> given(client.update().resource(Flags.removed(flag, null)).execute()));
    steps.does("removal", () -> given(updateGzipped(removed)));
    steps.does(
        "stale update",
        () -> given(client.update().resource(removed).withId(flag.getIdElement().withVersion("1")).execute()));
  }

  private MethodOutcome updateGzipped(Flag flag) {
    GZipContentInterceptor gzip = new GZipContentInterceptor();
    client.registerInterceptor(gzip);
    try {
      return client.update().resource(flag).prefer(PreferReturnEnum.REPRESENTATION).prettyPrint().execute();
    } finally {
      client.unregisterInterceptor(gzip);
    }
  }

  private void notOffered(IdType id) throws Exception {
    Flag active = Flags.active(patient);
    active.setId(id);
    String byId = "Flag?_id=" + id.getIdPart();
    String patch = "[{\"op\":\"replace\",\"path\":\"/status\",\"value\":\"inactive\"}]";
    Bundle transaction = new Bundle().setType(Bundle.BundleType.TRANSACTION);
    transaction.addEntry().setResource(active).getRequest().setMethod(Bundle.HTTPVerb.PUT).setUrl(id.getValue());

    steps.does("delete", () -> given(client.delete().resourceById(id).execute()));
    steps.does("conditional delete", () -> given(client.delete().resourceConditionalByUrl(byId).execute()));
    steps.does("patch", () -> given(client.patch().withBody(patch).withId(id).execute()));
    steps.does(
        "conditional update", () -> given(client.update().resource(active).conditionalByUrl(byId).execute()));
    steps.does(
        "transaction",
        () -> Map.of("entries", client.transaction().withBundle(transaction).execute().getEntry().size()));
  }

  private CapabilityStatement capabilities() {
    return client.capabilities().ofType(CapabilityStatement.class).execute();
  }

  private Flag read(String id) {
    return client.read().resource(Flag.class).withId(id).execute();
  }

  private Flag vread(IdType id) {
    return client.read().resource(Flag.class).withIdAndVersion(id.getIdPart(), "1").execute();
  }

  /** Null when the version is still the current one. */
  private Flag readUnless(IdType known) {
    return client
        .read()
        .resource(Flag.class)
        .withId(known.getIdPart())
        .ifVersionMatches(known.getVersionIdPart())
        .returnNull()
        .withAdditionalHeader("Accept-Charset", "utf-8")
        .execute();
  }

  private IQuery<Bundle> flags() {
    return client
        .search()
        .forResource(Flag.class)
        .where(Flag.SUBJECT.hasId(patient))
        .count(2)
        .returnBundle(Bundle.class)
        .cacheControl(CacheControlDirective.noCache());
  }

  /** All that a search finds, page by page, as the server's links lead. */
  private Map<String, ?> found(Bundle first) {
    List<String> ids = new ArrayList<>();
    Bundle page = first;
    while (true) {
      page.getEntry().forEach(entry -> ids.add(entry.getResource().getIdElement().getIdPart()));
      if (page.getLink(Bundle.LINK_NEXT) == null) return Map.of("ids", ids);
      page = client.loadPage().next(page).execute();
    }
  }

  private List<String> versions(IdType id) {
    Bundle history = client.history().onInstance(id.toVersionless()).returnBundle(Bundle.class).execute();
    return history.getEntry().stream().map(entry -> entry.getResource().getIdElement().getVersionIdPart()).toList();
  }

  private static Map<String, ?> given(MethodOutcome outcome) {
    return given((Flag) outcome.getResource());
  }

  private static Map<String, ?> given(Flag flag) {
    return Map.of("version", flag.getIdElement().getVersionIdPart(), "status", flag.getStatus().toCode());
  }
}
