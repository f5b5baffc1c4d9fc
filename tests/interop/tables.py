"""Raw contents of the stack's tables, read without the product."""

import json
import os
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import requests

from local_system.operator import REGION

TIMEOUT = 30


@dataclass(frozen=True, order=True)
class Item:
    """Item of a table, ordered by table and key."""

    table: str
    """Name in the template, such as `Enrollments`."""
    pk: str
    sk: str
    raw: str = field(compare=False)
    """The whole item as JSON: keys, attributes and sealed values."""

    @property
    def attributes(self) -> dict[str, Any]:
        attributes: dict[str, Any] = json.loads(self.raw)
        return attributes

    @property
    def clear(self) -> bytes:
        """All readable bytes: binary values are decoded from base64."""
        return b"\0".join(_bytes(self.attributes))


def items_containing(*words: str) -> list[Item]:
    """Items of all tables that contain one of the words anywhere."""
    return sorted(item for item in _all() if any(word in item.raw for word in words))


def readable_items(word: str) -> list[Item]:
    """Items of all tables in which the word is readable, binary values included."""
    return sorted(item for item in _all() if word.encode() in item.clear)


def _bytes(value: Any) -> Iterator[bytes]:
    """Names and values of DynamoDB's JSON, at any depth."""
    if isinstance(value, str):
        yield value.encode()
    elif isinstance(value, list):
        for element in value:
            yield from _bytes(element)
    elif isinstance(value, dict):
        for name, element in value.items():
            yield name.encode()
            yield from [b64decode(element)] if name == "B" and isinstance(element, str) else _bytes(element)


def _all() -> Iterator[Item]:
    names = [name for name in _dynamodb("ListTables", {})["TableNames"] if name.startswith("local-")]
    assert len(names) == 8, f"the stack has eight tables, not {names}"
    for name in names:
        start: dict[str, Any] = {}
        while True:
            page = _dynamodb("Scan", {"TableName": name, "ConsistentRead": True, **start})
            for item in page["Items"]:
                pk, sk = (item.get(key, {"S": ""})["S"] for key in ("pk", "sk"))
                yield Item(name.split("-")[1].removesuffix("Table"), pk, sk, json.dumps(item))
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _dynamodb(operation: str, body: dict[str, Any]) -> dict[str, Any]:
    credential = f"test/20260101/{REGION}/dynamodb/aws4_request"
    answer = requests.post(
        os.environ["AWS_ENDPOINT_URL"],
        data=json.dumps(body),
        headers={
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0",
        },
        timeout=TIMEOUT,
    )
    answer.raise_for_status()
    result: dict[str, Any] = answer.json()
    return result
