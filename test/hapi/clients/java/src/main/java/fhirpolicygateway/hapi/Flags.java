package fhirpolicygateway.hapi;

import org.hl7.fhir.dstu3.model.CodeableConcept;
import org.hl7.fhir.dstu3.model.Coding;
import org.hl7.fhir.dstu3.model.Extension;
import org.hl7.fhir.dstu3.model.Flag;
import org.hl7.fhir.dstu3.model.InstantType;
import org.hl7.fhir.dstu3.model.Provenance;
import org.hl7.fhir.dstu3.model.Reference;
import org.hl7.fhir.dstu3.model.StringType;

/** Flags as a clinical system writes them with HAPI's own classes. */
final class Flags {
  private static final String NHS = "https://fhir.nhs.uk/STU3/";

  private Flags() {}

  static Flag active(String patient) {
    Flag flag = new Flag();
    flag.addContained(provenance("p1", "CREATE"));
    flag.setStatus(Flag.FlagStatus.ACTIVE);
    flag.setCode(concept("http://snomed.info/sct", "796161000000101", "Requires information in Easyread"));
    flag.setSubject(new Reference(patient));
    return flag;
  }

  /** The flag as it is after its removal, all but its comment when that is null. */
  static Flag removed(Flag flag, String comment) {
    Flag after = flag.copy();
    after.setStatus(Flag.FlagStatus.INACTIVE);
    Extension removal = after.addExtension();
    removal.setUrl(NHS + "StructureDefinition/Extension-RARecord-RemovalReason-1");
    String reasons = NHS + "CodeSystem/RARecord-RemovalReason-1";
    removal.addExtension(new Extension("removalReason", concept(reasons, "DoesntApply", "No longer applies")));
    if (comment != null) removal.addExtension(new Extension("supportingComment", new StringType(comment)));
    after.addContained(provenance("p2", "UPDATE"));
    return after;
  }

  private static Provenance provenance(String id, String activity) {
    Provenance provenance = new Provenance();
    provenance.setId(id);
    provenance.addTarget().setReference("#");
    provenance.setRecordedElement(new InstantType("2026-03-02T09:30:00+00:00"));
    provenance.setActivity(new Coding("http://hl7.org/fhir/v3/DataOperation", activity, null));
    provenance.addAgent().setWho(new Reference("https://directory.example/STU3/Practitioner/n42"));
    return provenance;
  }

  private static CodeableConcept concept(String system, String code, String display) {
    return new CodeableConcept().addCoding(new Coding(system, code, display));
  }
}
