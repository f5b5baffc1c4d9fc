"""What native apps put into the page, and how they read what comes over it."""

import json
from typing import Any

KEEP = "{ postMessage: (message) => window.bridged.push(message) }"
BREAK = "{ postMessage: () => { throw new Error('gone'); } }"
BRIDGES = {
    "iOS": "window.webkit = { messageHandlers: { enrollmentEnded: %s } };",
    "Android": "window.enrollmentEnded = %s;",
    "React Native": "window.ReactNativeWebView = %s;",
}


def read(bridge: str, message: Any) -> Any:
    if bridge == "iOS":
        return message
    if bridge == "Android":
        return json.loads(message)
    told = json.loads(message)
    assert told["type"] == "enrollmentEnded"
    return told["detail"]
