"""Signatures a second of processor time by Mastercard's package of PyPI.

Arguments: file with the key (PEM), address, seconds. The body is read from standard input.
"""

import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from oauth1.oauth import OAuth

CONSUMER_KEY = "uLXKmWNmIkzIGKfA2injnNQqpZaxaBSKxa3ixEVu2f283c95!33b9b2bd960147e387fa6f3f238f07170000000000000000"

key = load_pem_private_key(Path(sys.argv[1]).read_bytes(), None)
address, seconds = sys.argv[2], float(sys.argv[3])
body = sys.stdin.buffer.read()


def rate(seconds: float) -> float:
    made, start = 0, time.process_time()
    while (used := time.process_time() - start) < seconds:
        for _ in range(20):
            OAuth.get_authorization_header(address, "POST", body, CONSUMER_KEY, key)
        made += 20
    return made / used


rate(seconds / 10)
print(rate(seconds))
