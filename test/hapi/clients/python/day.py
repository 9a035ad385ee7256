"""A day's work with fhirpy, one line of JSON a step.

Arguments: the FHIR base, and the patient whose flags it writes: one without any.
"""

import copy
import json
import sys
from collections.abc import Callable
from typing import Any

from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import BaseFHIRError, OperationOutcome

BASE, PATIENT = sys.argv[1:]
NHS = "https://fhir.nhs.uk/STU3/"
REASONS = NHS + "CodeSystem/RARecord-RemovalReason-1"

client = SyncFHIRClient(BASE)


def does(step: str, action: Callable[[], dict]) -> None:
    """Print what a step gave, or the client's exception and what that tells of the refusal."""
    try:
        told = {"given": action()}
    except BaseFHIRError as refusal:
        told = {"refused": {"error": type(refusal).__name__, "issues": [issue(one) for one in issues_of(refusal)]}}
    print(json.dumps({"step": step, **told}), flush=True)


def issues_of(refusal: BaseFHIRError) -> list[dict]:
    # An exception with a status of its own holds the text of the answer; every other one the resource.
    outcome = refusal.resource if isinstance(refusal, OperationOutcome) else json.loads(str(refusal))
    return outcome["issue"]


def issue(one: dict) -> dict:
    told = {"issue": one["code"], "diagnostics": one["diagnostics"]}
    if "details" in one:
        told["code"] = one["details"]["coding"][0]["code"]
    if "expression" in one:
        told["expression"] = one["expression"][0]
    return told


def provenance(id_: str, activity: str) -> dict:
    return {
        "resourceType": "Provenance",
        "id": id_,
        "target": [{"reference": "#"}],
        "recorded": "2026-03-02T09:30:00+00:00",
        "activity": {"system": "http://hl7.org/fhir/v3/DataOperation", "code": activity},
        "agent": [{"whoReference": {"reference": "https://directory.example/STU3/Practitioner/n42"}}],
    }


def new_flag() -> Any:
    easyread = {"system": "http://snomed.info/sct", "code": "796161000000101", "display": "Requires Easyread"}
    return client.resource(
        "Flag",
        contained=[provenance("p1", "CREATE")],
        status="active",
        code={"coding": [easyread]},
        subject={"reference": PATIENT},
    )


def removed(flag: Any, comment: str | None) -> Any:
    """The flag as it is after its removal, all but its comment when that is None."""
    after = copy.deepcopy(flag)
    reason = {"coding": [{"system": REASONS, "code": "DoesntApply", "display": "No longer applies"}]}
    parts = [{"url": "removalReason", "valueCodeableConcept": reason}]
    if comment is not None:
        parts.append({"url": "supportingComment", "valueString": comment})
    after["status"] = "inactive"
    after["extension"] = [{"url": NHS + "StructureDefinition/Extension-RARecord-RemovalReason-1", "extension": parts}]
    after["contained"].append(provenance("p2", "UPDATE"))
    return after


def update(flag: Any, version: str) -> dict:
    """Update with If-Match, which fhirpy takes with a client's header fields only."""
    pinned = SyncFHIRClient(BASE, extra_headers={"If-Match": f'W/"{version}"'})
    return given(pinned.resource("Flag", **flag).save())


def given(flag: Any) -> dict:
    return {"version": flag["meta"]["versionId"], "status": flag["status"]}


def unless_known(flag: Any) -> dict:
    """fhirpy asks with the bare version id as If-None-Match and keeps what it has on a 304."""
    before = copy.deepcopy(flag)
    before["status"] = "as it was"
    return {"changed": before.refresh()["status"] != "as it was"}


def found() -> dict:
    """All that a search finds; fhirpy follows the server's links."""
    return {"ids": [flag["id"] for flag in flags().limit(2)]}


def flags() -> Any:
    return client.resources("Flag").search(subject=PATIENT)


def history(id_: str) -> dict:
    entries = client.execute(f"Flag/{id_}/_history", method="get")["entry"]
    return {"versions": [entry["resource"]["meta"]["versionId"] for entry in entries]}


def edited(flag: Any) -> Any:
    after = copy.deepcopy(flag)
    after["code"]["coding"][0]["display"] = "Easy Read"
    return after


def work() -> None:
    comment = "The patient has asked for it."
    does("capabilities", lambda: {"fhirVersion": client.execute("metadata", method="get")["fhirVersion"]})

    created = new_flag().create()
    id_ = created["id"]
    does("create", lambda: {"id": id_, "version": created["meta"]["versionId"]})
    does("create what is already removed", lambda: given(removed(new_flag(), comment).create()))
    does("conditional create", lambda: given(flags().get_or_create(new_flag())[0]))
    for _ in range(4):
        new_flag().create()

    flag = client.reference("Flag", id_).to_resource()
    does("read", lambda: given(flag))
    does("read what is not there", lambda: given(client.reference("Flag", "nobody").to_resource()))
    does("read unless it is known", lambda: unless_known(flag))
    does("search", found)

    does("update of another element", lambda: update(edited(flag), "1"))
    does("update without a version", lambda: given(removed(flag, comment).update()))
    does("removal without a comment", lambda: update(removed(flag, None), "1"))
    does("removal", lambda: update(removed(flag, comment), "1"))
    does("stale update", lambda: update(removed(flag, comment), "1"))
    does("vread", lambda: given(client.execute(f"Flag/{id_}/_history/1", method="get")))
    does("history", lambda: history(id_))

    does("delete", lambda: client.reference("Flag", id_).delete())
    does("conditional delete", lambda: flags().delete())
    does("patch", lambda: client.patch("Flag", id_, status="active"))
    does("conditional update", lambda: given(flags().update(new_flag())[0]))
    entry = {"resource": {**flag}, "request": {"method": "PUT", "url": f"Flag/{id_}"}}
    transaction = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    does("transaction", lambda: client.execute("", data=transaction))


if __name__ == "__main__":
    work()
