"""`enrollctl batch` through the deployed system, with card files as Python's `csv` writes them."""

import csv
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from local_system.issuer import Issuer, Json
from local_system.operator import Operator
from local_system.receiver import listening
from local_system.stack import Stack

TIMEOUT = 180
COLUMNS = [
    "externalConsumerId",
    "externalCardId",
    "primaryAccountNumber",
    "panExpirationMonth",
    "panExpirationYear",
    "emailAddress",
    "firstName",
    "countryCode",
    "languageCode",
]


@dataclass(frozen=True)
class Tool:
    """`enrollctl batch` of an issuer, in a folder of its own."""

    issuer: Issuer
    folder: Path
    prefix: str = field(default_factory=lambda: f"tool-{secrets.token_hex(6)}")

    @property
    def file(self) -> Path:
        return self.folder / "cards.csv"

    def write(self, profiles: list[list[str]], encoding: str = "utf-8", delimiter: str = ",") -> None:
        """Writes profiles, each a list of card numbers, as Excel does."""
        with self.file.open("w", encoding=encoding, newline="") as file:
            writer = csv.writer(file, dialect="excel", delimiter=delimiter)
            writer.writerow(COLUMNS)
            for place, numbers in enumerate(profiles):
                for at, number in enumerate(numbers):
                    consumer, card = f"{self.prefix}.c{place}", f"{self.prefix}.c{place}.k{at}"
                    email = f"c{place}@issuer.example"
                    writer.writerow([consumer, card, number, 12, 2035, email, 'Zoë "Z"; Müller', "DE", "de"])

    def command(self, *more: str) -> list[str]:
        demo, stack = self.issuer.demo, self.issuer.stack
        return [
            os.environ["TEST_ENROLLCTL"],
            *("batch", "submit", str(self.file), "--state", str(self.folder / "state")),
            *("--url", stack.api, "--client", stack.client_id),
            *("--key", str(stack.local / "demo" / demo["privateKey"])),
            *("--key-list", demo["keyList"], "--kid", demo["keyId"], "--authorities", stack.authority),
            *more,
        ]

    def run(self, *more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*more), capture_output=True, text=True, check=False, timeout=TIMEOUT)

    def results(self) -> list[Json]:
        with (self.folder / "cards.results.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    def at_mastercard(self) -> list[str]:
        """Ids of this file's cards that the Mastercard stand-in was sent, each as often as it is in a batch."""
        answer = requests.get(f"{self.issuer.stack.admin}/issuers/batches", timeout=30)
        answer.raise_for_status()
        cards = [card["externalCardId"] for batch in answer.json() for card in batch["cards"]]
        return sorted(card for card in cards if card.startswith(self.prefix))


@pytest.fixture
def tool(stack: Stack, tmp_path: Path) -> Iterator[Tool]:
    operator = Operator(stack)
    with listening(stack) as receiver:
        yield Tool(Issuer.of(operator.new_client(receiver.host)), tmp_path)


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8", ","), ("utf-8-sig", ";"), ("utf-16", "\t")], ids=["csv", "excel", "unicode"]
)
def test_file_of_excel_is_enrolled(tool: Tool, encoding: str, delimiter: str) -> None:
    number = tool.issuer.number
    tool.write(
        [[number("enrolled")], [number("enrolled_second"), number("pan_ineligible")], [number("issuer_declined")]],
        encoding,
        delimiter,
    )
    done = tool.run()
    assert done.returncode == 3, done.stderr
    enrolled, second, ineligible, declined = tool.results()
    assert [result["line"] for result in tool.results()] == ["2", "3", "4", "5"]
    assert enrolled["status"] == "accepted"
    assert (second["status"], second["reason"]) == ("failed", "PROFILE_INCOMPLETE")
    assert second["sibling"] == ineligible["externalCardId"]
    assert (ineligible["reason"], ineligible["retry"]) == ("PAN_INELIGIBLE", "after")
    assert ineligible["retryAfter"]
    assert (declined["reason"], declined["retry"]) == ("ISSUER_DECLINED", "never")


def test_sample_of_the_demo_is_read(tool: Tool) -> None:
    shutil.copy(tool.issuer.stack.local / "demo/batch.csv", tool.file)
    done = subprocess.run(
        [os.environ["TEST_ENROLLCTL"], "batch", "submit", "--check", str(tool.file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, done.stderr
    assert "7 cards of 5 consumers, no faults" in done.stderr


def test_killed_run_is_resumed_without_doubled_batches(tool: Tool) -> None:
    tool.write([[_number(serial)] for serial in range(1100)])
    for _ in range(4):
        with subprocess.Popen(tool.command("--window", "500"), stderr=subprocess.DEVNULL) as process:
            time.sleep(secrets.randbelow(1500) / 1000)
            process.kill()
    done = tool.run("--window", "500")
    assert done.returncode == 0, done.stderr
    results = tool.results()
    assert [int(result["line"]) for result in results] == list(range(2, 1102))
    assert {result["status"] for result in results} == {"accepted"}
    assert tool.at_mastercard() == sorted(result["externalCardId"] for result in results)


def _number(serial: int) -> str:
    """A number of the issuer's range with a right check digit."""
    body = f"52340002{serial:07}"
    digits = [int(digit) for digit in reversed(body)]
    total = sum(sum(divmod(digit * 2, 10)) if place % 2 == 0 else digit for place, digit in enumerate(digits))
    return f"{body}{-total % 10}"
