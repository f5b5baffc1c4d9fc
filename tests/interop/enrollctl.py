"""Runs of the operator's tool as a process."""

import os
import subprocess
from dataclasses import dataclass

TIMEOUT = 120


@dataclass(frozen=True)
class Result:
    """Result of a run."""

    code: int
    out: str
    err: str

    @property
    def output(self) -> str:
        return self.out + self.err


def enrollctl(*arguments: str, given: str = "") -> Result:
    """Runs `enrollctl` on the stack `local`; `given` is its standard input."""
    command = [os.environ["TEST_ENROLLCTL"], "--stack", "local", *arguments]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=TIMEOUT)
    return Result(done.returncode, done.stdout, done.stderr)
