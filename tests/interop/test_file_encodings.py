"""File encodings of Windows editors, read by `enrollctl`: byte-order mark, UTF-16, CRLF."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import requests

from interop.client_files import ClientFile, chosen_by_node
from interop.enrollctl import enrollctl
from interop.isolated_client import IsolatedClient
from local_system.partner import Partner
from local_system.stack import Stack

TIMEOUT = 60
# Plain UTF-8, Notepad's "UTF-8 with BOM", and its "UTF-16 LE", which Python's `utf-16` writes with a mark.
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_client_file_and_translation_are_read(stack: Stack, tmp_path: Path, encoding: str) -> None:
    text = json.dumps({"register": {"tittle": "Größe, 登録"}}, indent=2, ensure_ascii=False)
    (tmp_path / "ja.json").write_bytes(text.replace("\n", "\r\n").encode(encoding))
    file = ClientFile.like_demo(stack, tmp_path).with_translations({"ja": "ja.json"})
    applied = file.apply(encoding, line_end="\r\n")
    assert applied.code == 0, applied.err
    page = requests.get(f"{stack.api}/widget/{file.name}/?lang=ja-JP-u-ca-japanese", timeout=TIMEOUT)
    assert page.headers["content-language"] == "ja"
    assert "Größe, 登録" in page.text
    # The same client, saved by another editor.
    assert file.apply().out == f"client '{file.name}': nothing to change\n"


def test_other_encodings_are_refused_by_name(stack: Stack, tmp_path: Path) -> None:
    file = ClientFile.like_demo(stack, tmp_path)
    for encoding, error in (("utf-16-le", "has zero bytes"), ("utf-32", "has zero bytes")):
        ran = enrollctl("client", "diff", file.saved(encoding))
        assert (ran.code, error in ran.err) == (2, True), ran.err
    (tmp_path / "de.json").write_bytes('{"read_more": "Größe"}'.encode("windows-1252"))
    ran = file.with_translations({"de": "de.json"}).diff()
    assert (ran.code, "translations.de: is not UTF-8 (byte 18" in ran.err) == (2, True), ran.err


def test_translation_gaps_and_duplicates_are_reported(stack: Stack, tmp_path: Path) -> None:
    file = ClientFile.like_demo(stack, tmp_path)
    (tmp_path / "twice.json").write_text('{"read_more": "a",\n "read_more": "b"}')
    (tmp_path / "null.json").write_text('{"read_more": null}')
    (tmp_path / "some.json").write_text('{"read_more": "Więcej"}')
    ran = file.with_translations({"de": "twice.json", "fr": "null.json"}).diff()
    assert ran.code == 2
    assert "translations.de: can't be read as JSON: 'read_more' comes twice at line 2" in ran.err
    assert "translations.fr: has 'read_more' without a text (null)" in ran.err
    ran = file.with_translations({"iw": "some.json", "he": "some.json"}).diff()
    assert (ran.code, "is another spelling of 'he'" in ran.err) == (2, True), ran.err
    # Gaps of a language that is built in have its own texts.
    assert "translations.pl" not in file.with_translations({"pl": "some.json"}).diff().err
    ran = file.with_translations({"lt": "some.json"}).diff()
    assert ran.code == 1
    assert "warning: translations.lt: has 1 of " in ran.err
    assert "missing: " in ran.err


@pytest.mark.parametrize("saved", ["utf-8-sig", "utf-16", "blanks"])
def test_customer_id_is_read_in_any_encoding(client: IsolatedClient, tmp_path: Path, saved: str) -> None:
    customer = client.customer()
    card, _ = client.enroll_card(customer)
    file = tmp_path / "id.txt"
    encoding = "utf-8" if saved == "blanks" else saved
    around = ("\u00a0 ", " \t\r\n\r\n") if saved == "blanks" else ("", "\r\n")
    file.write_bytes(f"{around[0]}{customer.id}{around[1]}".encode(encoding))
    person = ("--client", client.id, "--customer-file", str(file), "--reference", "request 7")
    shown = enrollctl("customer", "show", *person)
    assert (shown.code, card.last4 in shown.out) == (0, True), shown.err
    erased = enrollctl("customer", "erase", *person, "--opt-out", "--yes")
    assert (erased.code, "cards 1 (1 cancelled first)" in erased.out) == (0, True), erased.err
    shown = client.customer_command("show", customer.id)
    assert shown.err.endswith("enrollctl: nothing is stored about this customer\n")


def test_token_is_read_from_utf_16(partner: Partner, stack: Stack) -> None:
    token = f"{partner.token()}\r\n".encode("utf-16")
    command = [os.environ["TEST_ENROLLCTL"], "token", "open", "--url", stack.api]
    done = subprocess.run(command, input=token, capture_output=True, check=False, timeout=TIMEOUT)
    assert b"OPENED" in done.stdout, done.stderr


LANGUAGES = [
    "ar",
    "az",
    "cmn",
    "de",
    "en",
    "es",
    "fa",
    "fil",
    "fr",
    "he",
    "hi",
    "id",
    "in",
    "iw",
    "ja",
    "ji",
    "jw",
    "kk",
    "ko",
    "ku",
    "mo",
    "nb",
    "nn",
    "no",
    "pa",
    "pt",
    "ro",
    "sh",
    "sr",
    "tl",
    "uk",
    "ur",
    "uz",
    "zh",
    "deu",
    "zho",
]
REGIONS = ("", "-US", "-CN", "-TW", "-IR", "-ME", "-BR", "-CA")
WITH_SCRIPTS = [
    f"{language}-{script}{region}"
    for language in ("az", "kk", "pa", "sr", "uz", "zh")
    for script in ("Arab", "Cyrl", "Hans", "Hant", "Latn")
    for region in ("", "-CN")
]
MORE = (
    "es-u-ms-metric",
    "de-CH-1996",
    "en-US-x-private",
    "zh-Hant-HK-u-co-stroke",
    "sl-rozaj-biske",
    "es-419",
    "en-UK",
)
OFFERED = [
    "ar",
    "az",
    "en",
    "es",
    "fil",
    "fr_CA",
    "he",
    "hi",
    "id",
    "ja",
    "jv",
    "kk",
    "ku",
    "nb",
    "pa",
    "pt_BR",
    "ro",
    "sr",
    "sr_Latn",
    "uk",
    "ur",
    "uz",
    "uz_Cyrl",
    "yi",
    "zh",
    "zh_Hant",
]


# No built-in language is offered beside the translations.
ITALIAN_ONLY = 'default_language = "it"\nlanguages = []'


def test_page_chooses_the_same_language_as_node(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "some.json").write_text("{}")
    file = ClientFile.like_demo(stack, tmp_path).with_translations(dict.fromkeys(OFFERED, "some.json"))
    file = ClientFile(file.folder, file.name, file.text.replace('default_language = "en"', ITALIAN_ONLY))
    applied = file.apply()
    assert applied.code == 0, applied.err
    tags = [f"{language}{region}" for language in LANGUAGES for region in REGIONS] + WITH_SCRIPTS + list(MORE)
    with requests.Session() as session:
        address = f"{stack.api}/widget/{file.name}/"

        def shown(tag: str) -> str:
            page = session.get(address, params={"lang": tag}, timeout=TIMEOUT)
            return page.headers["content-language"]

        differing = {
            tag: (shown_for, expected)
            for tag, chosen in zip(tags, chosen_by_node(OFFERED, tags), strict=True)
            if (shown_for := shown(tag)) != (expected := (chosen or "it").replace("_", "-"))
        }
    assert differing == {}
