"""Console of every page that a test opens: no errors, and no policy violations."""

from playwright.sync_api import BrowserContext, ConsoleMessage


class ConsoleWatch:
    """Console messages of a test's browsers. Policy violations are logged there: by Chromium itself, in
    Firefox by `listener.js`."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self._expected: list[str] = []

    def listen_to(self, context: BrowserContext) -> None:
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.append(f"uncaught: {error.error}"))

    def expect(self, words: str) -> None:
        """Permits console messages with these words: browsers log each refused call."""
        self._expected.append(words)

    def unexpected(self) -> list[str]:
        return [said for said in self.complaints if not any(words in said for words in self._expected)]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")
