"""The operator: applies client files and changes secrets by `enrollctl`, and reads what a partner is given."""

import json
import os
import secrets
import subprocess
from dataclasses import dataclass, replace
from typing import Any

import requests

from local_system.stack import Stack

REGION = "eu-central-1"
TIMEOUT = 30
REASON = ("--reference", "request 7")
"""Reference that commands take which change or reveal something."""


@dataclass(frozen=True)
class Operator:
    """Works on the stack named `local`."""

    stack: Stack

    def new_client(self, host: str) -> Stack:
        """A client like the demo client, whose confirmations may also go to `host`; the stack as its partner has it."""
        name = f"interop-{secrets.token_hex(6)}"
        demo = self.stack.local / "demo"
        text = (demo / "client.toml").read_text()
        changes = {
            f'id = "{self.stack.client_id}"': f'id = "{name}"',
            'slug = "demo"': f'slug = "{name}"',
            "confirmation_hosts = [": f'confirmation_hosts = ["{host}", ',
        }
        for before, after in changes.items():
            assert text.count(before) == 1, f"{before} is not what client.toml says"
            text = text.replace(before, after)
        file = demo / f"{name}.toml"
        file.write_text(text)
        self.enrollctl("client", "apply", str(file), "--yes", *REASON)
        authorities = ("--authorities", self.stack.authority)
        self.enrollctl("confirmations", "trust", "--client", name, *authorities, *REASON)
        return replace(self.stack, client_id=name)

    def enrollctl(self, *arguments: str) -> str:
        """Its output. A command that fails is a test that fails."""
        command = [os.environ["TEST_ENROLLCTL"], "--stack", "local", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def confirmation_keys(self, client: str) -> dict[str, Any]:
        """The client's secret in Secrets Manager, of which its partner knows a part."""
        credential = f"test/20260101/{REGION}/secretsmanager/aws4_request"
        answer = requests.post(
            os.environ["AWS_ENDPOINT_URL"],
            json={"SecretId": f"card-enrollment/local/clients/{client}/confirmation"},
            headers={
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": "secretsmanager.GetSecretValue",
                "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0",
            },
            timeout=TIMEOUT,
        )
        answer.raise_for_status()
        keys: dict[str, Any] = json.loads(answer.json()["SecretString"])
        return keys
