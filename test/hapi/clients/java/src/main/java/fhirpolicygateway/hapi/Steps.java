package fhirpolicygateway.hapi;

import ca.uhn.fhir.rest.server.exceptions.BaseServerResponseException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.hl7.fhir.dstu3.model.OperationOutcome;
import org.hl7.fhir.dstu3.model.PrimitiveType;

/** Prints each step as one line of JSON: what it gave, or the client's exception and what that tells of the refusal. */
final class Steps {
  private final ObjectMapper json = new ObjectMapper();

  void does(String step, Callable<Map<String, ?>> action) throws Exception {
    try {
      print(step, "given", action.call());
    } catch (BaseServerResponseException refusal) {
      print(step, "refused", told(refusal));
    }
  }

  private static Map<String, ?> told(BaseServerResponseException refusal) {
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("error", refusal.getClass().getSimpleName());
    told.put("status", refusal.getStatusCode());
    // A ClassCastException or null here is a failure: every refusal is an OperationOutcome that the client could read.
    OperationOutcome outcome = (OperationOutcome) refusal.getOperationOutcome();
    told.put("issues", outcome.getIssue().stream().map(Steps::issue).toList());
    return told;
  }

  private static Map<String, ?> issue(OperationOutcome.OperationOutcomeIssueComponent issue) {
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("issue", issue.getCode().toCode());
    told.put("code", issue.getDetails().getCodingFirstRep().getCode());
    told.put("diagnostics", issue.getDiagnostics());
    List<String> expressions = issue.getExpression().stream().map(PrimitiveType::getValue).toList();
    if (!expressions.isEmpty()) told.put("expression", expressions.get(0));
    return told;
  }

  private void print(String step, String name, Map<String, ?> value) throws JsonProcessingException {
    System.out.println(json.writeValueAsString(Map.of("step", step, name, value)));
  }
}
