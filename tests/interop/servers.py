"""Servers in other languages, each in its own process and on a port that it chooses."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key, pkcs12

from local_system.stack import NotThere, Stack

PATIENCE = 60
PASSWORD = "interop"
RUN_BY = "`cargo xtask test --only interop` installs it where it can"


def program(name: str) -> str:
    """Returns the path of a required program."""
    found = shutil.which(name)
    if found is None:
        raise NotThere(f"{name} is missing: {RUN_BY}.")
    return found


def node() -> str:
    try:
        return os.environ["TEST_NODE"]
    except KeyError:
        raise NotThere(f"TEST_NODE is not set: {RUN_BY}.") from None


def built(folder: Path, *command: str) -> None:
    """Runs a compiler in a folder."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stdout}{done.stderr}"


def key_store(stack: Stack, folder: Path) -> Path:
    """Writes the servers' certificate as a Java key store, protected by `PASSWORD`."""
    certificate, *chain = x509.load_pem_x509_certificates(stack.pem("pki/server.pem"))
    key = load_pem_private_key(stack.pem("pki/server.key.pem"), None)
    store = pkcs12.serialize_key_and_certificates(
        b"server",
        key,  # type: ignore[arg-type]
        certificate,
        chain,
        BestAvailableEncryption(PASSWORD.encode()),
    )
    file = folder / "server.p12"
    file.write_bytes(store)
    return file


@contextmanager
def running(folder: Path, name: str, *command: str) -> Iterator[int]:
    """Runs a server during the block and yields its port; its last argument is the file for the port."""
    ready, log = folder / f"{name}.port", folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen([*command, str(ready)], cwd=folder, stdout=output, stderr=output)
    try:
        end = time.monotonic() + PATIENCE
        while not ready.exists():
            assert process.poll() is None, f"{name} ended:\n{log.read_text(errors='replace')}"
            assert time.monotonic() < end, f"{name} is not ready:\n{log.read_text(errors='replace')}"
            time.sleep(0.1)
        yield int(ready.read_text())
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)
