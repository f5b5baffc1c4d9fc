"""Bridges that native apps inject into the page, and their message formats."""

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
    envelope = json.loads(message)
    assert envelope["type"] == "enrollmentEnded"
    return envelope["detail"]
