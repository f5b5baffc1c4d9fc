"""Batches made by `jwcrypto` and PyJWT alone, their results and confirmations, and errors of each kind on the way."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from standardwebhooks import Webhook

from interop import tables
from interop.enrollctl import Result, enrollctl
from local_system.issuer import PATIENCE, Batch, Issuer, Json, cards_of
from local_system.operator import Operator
from local_system.receiver import Receiver, listening
from local_system.stack import Stack

TIMEOUT = 30

FINAL_REASONS = ["INVALID_ARGUMENT", "INVALID_STATE", "PERMISSION_DENIED", "INVALID_FORMAT", "EXPIRED", "SOMETHING_NEW"]
"""Errors of a submission that end a batch: known ones of the error, of its detail, and one that nobody knows."""
RESULT_REASONS = {"EXPIRED": "ENCRYPTION_KEY_EXPIRED"}
"""What the result calls an error whose own name would mean another thing for a card."""


@dataclass(frozen=True)
class Enrollment:
    """An issuer with a receiver of its own, and the admin listener of the Mastercard stand-in."""

    issuer: Issuer
    receiver: Receiver
    operator: Operator

    def admin(self, method: str, path: str, body: Json | None = None) -> Any:
        answer = requests.request(method, f"{self.issuer.stack.admin}/{path}", json=body, timeout=TIMEOUT)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def order(self, batch: Batch, operation: str, **more: Any) -> None:
        self.admin("POST", "faults", {"batch": batch.id, "operation": operation, **more})

    def submit(self, batch: Batch, encrypted: str | None = None) -> str:
        """Submits a batch, and returns its id."""
        encrypted = encrypted or self.issuer.encrypt(batch.content(self.issuer))
        answer = self.issuer.submit(batch, encrypted, f"https://{self.receiver.host}/batches")
        assert answer.status_code == 202, answer.text
        body = answer.json()
        assert body["externalBatchId"] == batch.id
        batch_id: str = body["batchId"]
        return batch_id

    def enroll(self, batch: Batch, encrypted: str | None = None) -> Json:
        return self.issuer.result(self.submit(batch, encrypted))

    def person(self, what: str, consumer: str, *more: str) -> Result:
        """Runs `enrollctl customer` about a consumer, whose id is on standard input."""
        request = ("--client", self.issuer.stack.client_id, "--customer-file", "-", "--reference", "request 7")
        return enrollctl("customer", what, *request, *more, given=f"{consumer}\n")

    def at_mastercard(self, batch: Batch) -> list[Json]:
        return [known for known in self.admin("GET", "issuers/batches") if known["externalBatchId"] == batch.id]


@pytest.fixture
def enrollment(stack: Stack) -> Iterator[Enrollment]:
    operator = Operator(stack)
    with listening(stack) as receiver:
        yield Enrollment(Issuer.of(operator.new_client(receiver.host)), receiver, operator)


def test_batch_is_enrolled_and_confirmed(enrollment: Enrollment) -> None:
    batch = Batch.of(("enrolled",), ("enrolled_second", "pan_ineligible"))
    result = enrollment.enroll(batch)
    assert result["status"] == "SUCCESS_BATCH"
    assert (result["accepted"], result["failed"], result["unknown"]) == (1, 2, 0)
    cards = cards_of(result)
    assert cards["enrolled"]["status"] == "accepted"
    assert cards["pan_ineligible"]["reason"] == "PAN_INELIGIBLE"
    assert cards["pan_ineligible"]["retry"] == "after"
    assert cards["enrolled_second"]["reason"] == "PROFILE_INCOMPLETE"
    assert cards["enrolled_second"]["sibling"] == batch.card_id("pan_ineligible")

    delivery = enrollment.receiver.next()
    [secret] = enrollment.operator.confirmation_keys(enrollment.issuer.stack.client_id)["secrets"]
    body = Webhook(secret).verify(delivery.body, delivery.headers)
    assert body == {
        "status": "SUCCESS_BATCH",
        "batchId": result["batchId"],
        "externalBatchId": batch.id,
        "accepted": 1,
        "failed": 2,
        "unknown": 0,
    }


@pytest.mark.parametrize("content_encryption", ["A128GCM", "A256GCM"])
@pytest.mark.parametrize("member", ["kid", "keyId"])
def test_headers_of_mastercard_are_taken(enrollment: Enrollment, member: str, content_encryption: str) -> None:
    batch = Batch.of(("enrolled",))
    header = {member: enrollment.issuer.demo["keyId"], "alg": "RSA-OAEP-256", "enc": content_encryption}
    result = enrollment.enroll(batch, enrollment.issuer.encrypt(batch.content(enrollment.issuer), **header))
    assert result["status"] == "SUCCESS_BATCH", json.dumps(result)


def test_error_of_each_kind_reaches_its_card(enrollment: Enrollment) -> None:
    outcomes = enrollment.issuer.demo["cards"]
    odd = {"foreign_id", "duplicate", "left_out", "unstated", "contradictory"}
    cards = cards_of(enrollment.enroll(Batch(tuple((outcome,) for outcome in outcomes if outcome not in odd))))
    for outcome, card in cards.items():
        if outcome.startswith("enrolled"):
            assert card["status"] == "accepted"
            continue
        assert card["status"] == "failed", card
        expected = {"unknown_reason": "SOMETHING_NEW"}.get(outcome, outcome.upper())
        if outcome != "null_reason":
            assert card["reason"] == expected, card
    assert cards["tokenization_ineligible"]["retry"] == "after"
    assert cards["no_response_from_issuer"]["retry"] == "now"
    assert cards["unexpected_error"]["retry"] == "now"
    assert {cards[name]["retry"] for name in ("issuer_declined", "issuer_decline", "invalid_pan")} == {"never"}


@pytest.mark.parametrize("odd", ["left_out", "unstated", "contradictory", "foreign_id"])
def test_unaccounted_batch_is_an_error(enrollment: Enrollment, odd: str) -> None:
    result = enrollment.enroll(Batch.of(("enrolled",), (odd,)))
    assert result["status"] == "ERROR_BATCH", json.dumps(result)
    cards = cards_of(result)
    assert cards["enrolled"]["status"] == "accepted"
    assert cards[odd]["status"] == ("accepted" if odd == "foreign_id" else "unknown")


@pytest.mark.parametrize("form", [None, "other-wrapping", "details", "gateway-errors"])
@pytest.mark.parametrize("reason", FINAL_REASONS)
def test_refusal_of_each_kind_ends_the_batch(enrollment: Enrollment, reason: str, form: str | None) -> None:
    batch = Batch.of(("enrolled",))
    more = {"form": form} if form else {}
    enrollment.order(batch, "submitBatch", fault="refused", reason=reason, **more)
    result = enrollment.enroll(batch)
    assert result["status"] == "ERROR_BATCH"
    assert result["failed"] == 1
    assert result["reason"] == RESULT_REASONS.get(reason, reason), json.dumps(result)


@pytest.mark.parametrize("fault", ["cut-after", "cut-before", "http500-after", "malformed-after", "throttled"])
def test_unanswered_submission_is_repeated(enrollment: Enrollment, fault: str) -> None:
    batch = Batch.of(("enrolled",))
    more = {"retryAfter": 2} if fault == "throttled" else {}
    enrollment.order(batch, "submitBatch", fault=fault, **more)
    result = enrollment.enroll(batch)
    assert result["status"] == "SUCCESS_BATCH", json.dumps(result)
    [known] = enrollment.at_mastercard(batch)
    assert known["submissions"] == (2 if fault.endswith("after") else 1)


@pytest.mark.parametrize(
    "form", ["nested", "other-spellings", "other-dialect", "details", "wrapped", "utf-16", "chunked"]
)
def test_results_are_read_in_other_forms(enrollment: Enrollment, form: str) -> None:
    batch = Batch.of(("enrolled",), ("pan_ineligible",))
    enrollment.order(batch, "batchStatus", fault="shaped", form=form, count=20)
    result = enrollment.enroll(batch)
    assert result["status"] == "SUCCESS_BATCH", json.dumps(result)
    assert (result["accepted"], result["failed"]) == (1, 1)


def test_repeat_is_the_same_and_another_body_is_not(enrollment: Enrollment) -> None:
    issuer, batch = enrollment.issuer, Batch.of(("enrolled",))
    encrypted = issuer.encrypt(batch.content(issuer))
    assert enrollment.submit(batch, encrypted) == enrollment.submit(batch, encrypted)
    other = issuer.submit(batch, issuer.encrypt(batch.content(issuer)))
    assert other.status_code == 409, other.text


def test_enrolled_card_is_deleted(enrollment: Enrollment) -> None:
    batch = Batch.of(("enrolled",))
    enrollment.enroll(batch)
    path = f"enrolled_cards/{batch.card_id('enrolled')}"
    issuer = enrollment.issuer
    assert issuer.call("B", "GET", path).status_code == 200
    assert issuer.call("D", "DELETE", path).status_code == 202
    end = time.monotonic() + PATIENCE
    while (body := issuer.call("B", "GET", path).text) and "deleted" not in body and time.monotonic() < end:
        time.sleep(1)
    assert "deleted" in body
    cards = enrollment.admin("GET", "issuers/digital-cards")
    [card] = [card for card in cards if card["externalCardId"] == batch.card_id("enrolled")]
    assert card["isDeleted"]


def test_consumer_is_exported_and_erased(enrollment: Enrollment) -> None:
    batch = Batch.of(("enrolled",), ("enrolled_second",))
    batch_id = enrollment.enroll(batch)["batchId"]
    person, other = batch.consumer_id(0), batch.consumer_id(1)
    exported = enrollment.person("export", person)
    assert exported.code == 0, exported.err
    assert other not in exported.out
    consumer = json.loads(exported.out)["consumer"]
    assert [card["externalCardId"] for card in consumer["cards"]] == [batch.card_id("enrolled")]
    assert [of_batch["batchId"] for of_batch in consumer["batches"]] == [batch_id]
    assert has_content(batch_id)

    refused = enrollment.person("erase", person, "--yes")
    assert (refused.code, refused.out) == (1, "")
    assert "--opt-out" in refused.err
    erased = enrollment.person("erase", person, "--opt-out", "--yes")
    assert erased.code == 0, erased.err
    assert erased.out == "batches: erased enrolled cards 1, batches 1\n"
    left = enrollment.issuer.result(batch_id)
    assert [profile["externalConsumerId"] for profile in left["profiles"]] == [other]
    assert not has_content(batch_id), "the encrypted data has all consumers"
    for consumer_id, code in ((person, 1), (other, 0)):
        shown = enrollment.person("show", consumer_id)
        assert shown.code == code, shown.output


def has_content(batch_id: str) -> bool:
    """Whether the encrypted data of a batch is stored, by the batch's own item."""
    [item] = [item for item in tables.items_containing(f'"batch#{batch_id}"') if item.table == "Batches"]
    is_stored: bool = item.attributes["has_content"]["BOOL"]
    return is_stored
