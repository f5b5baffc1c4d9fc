"""What must be true of every page that a test opens: no error in its console, nothing that its browser refused."""

from playwright.sync_api import BrowserContext, ConsoleMessage


class Watch:
    """Listens to the consoles of a test's browsers. Violations of a policy are written there: by Chromium itself, in
    Firefox by `listener.js`."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self._expected: list[str] = []

    def listen_to(self, context: BrowserContext) -> None:
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.append(f"uncaught: {error.error}"))

    def expect(self, words: str) -> None:
        """Complaints with these words are part of the test: to a browser each refused call is one."""
        self._expected.append(words)

    def unexpected(self) -> list[str]:
        return [said for said in self.complaints if not any(words in said for words in self._expected)]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")
