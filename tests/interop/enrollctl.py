"""The operator's tool as a process: what it is given, and all that came of it."""

import os
import subprocess
from dataclasses import dataclass

TIMEOUT = 120


@dataclass(frozen=True)
class Ran:
    """A run that ended."""

    code: int
    out: str
    err: str

    @property
    def everything(self) -> str:
        return self.out + self.err


def enrollctl(*arguments: str, given: str = "") -> Ran:
    """Works on the stack named `local`; `given` is its standard input."""
    command = [os.environ["TEST_ENROLLCTL"], "--stack", "local", *arguments]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=TIMEOUT)
    return Ran(done.returncode, done.stdout, done.stderr)
