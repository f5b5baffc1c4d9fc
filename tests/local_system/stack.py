"""Addresses of the running system, and the settings of its demo client."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUN_BY = "run this by `cargo xtask test --only interop` or `--only browser`, which starts the system"


class NotThere(Exception):
    """Something that the tests need is missing; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class Stack:
    """Addresses without a slash at their end, and the folder with keys and certificates."""

    api: str
    partner: str
    receiver: str
    mastercard: str
    admin: str
    client_id: str
    program_id: str
    confirmation_url: str
    confirmation_secret: str
    local: Path

    @classmethod
    def from_environment(cls) -> "Stack":
        endpoints = _json(Path(_variable("TEST_ENDPOINTS")))
        local = Path(_variable("TEST_LOCAL"))
        demo = _json(local / "demo/demo.json")
        names = ("api", "partner", "receiver", "mastercard", "admin")
        return cls(
            **{name: endpoints[name].rstrip("/") for name in names},
            client_id=demo["clientId"],
            program_id=demo["programId"],
            confirmation_url=demo["confirmationUrl"],
            confirmation_secret=demo["confirmationSecret"],
            local=local,
        )

    @property
    def authority(self) -> str:
        """The certificate authority of everything that speaks TLS here."""
        return str(self.local / "pki/ca.pem")

    def pem(self, name: str) -> bytes:
        return (self.local / name).read_bytes()


def _variable(name: str) -> str:
    try:
        return os.environ[name]
    except KeyError:
        raise NotThere(f"{name} is not set: {RUN_BY}.") from None


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise NotThere(f"{file} can't be read ({error}): {RUN_BY}.") from None
