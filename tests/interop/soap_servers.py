"""MRS as SOAP stacks of other makers serve it, from one WSDL (`soap/mrs.wsdl`), over TLS with a client certificate."""

import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interop.servers import PASSWORD, built, key_store, node, program, running
from local_system.stack import NotThere, Stack

SOURCES = Path(__file__).parent / "soap"
TIMEOUT = 30
JAVA = Path("/usr/share/java")
JARS = [
    "jaxws-rt",
    "jaxws-tools",
    "jaxws-api",
    "jaxb-api",
    "jaxb-xjc",
    "jaxb-core",
    "jaxb-runtime",
    "jaxb-impl",
    "jws-api",
    "javax.activation",
    "javax.xml.soap-api",
    "saaj-impl",
    "stax-ex",
    "streambuffer",
    "metro-policy",
    "gmbal",
    "FastInfoset",
    "istack-commons-runtime",
    "istack-commons-tools",
    "codemodel",
    "txw2",
    "xsom",
    "dtd-parser",
    "rngom",
    "relaxngDatatype",
    "xml-resolver",
    "mimepull",
    "glassfish-management-api",
    "glassfish-pfl-basic",
    "woodstox-core",
    "stax2-api",
    "jaxws-ri-runtime",
    "jaxws-ri-rt-jdk9",
    "codemodel-annotation-compiler",
]
"""JAX-WS and what it needs, in an order that works."""
GSOAP = Path("/usr/share/gsoap")

OTHER_SCHEMA = "gsoap-other-schema"
"""Wants requests whose children have no namespace, which the product's have."""

Servers = dict[str, str]
"""Address of the services by the server's name: those of `NAMES`, and `OTHER_SCHEMA`."""

NAMES = [
    "jaxws-qualified",
    "jaxws-unqualified",
    "gsoap-1.1",
    "gsoap-1.2",
    "node-1.1-qualified",
    "node-1.1-unqualified",
    "node-1.2-qualified",
    "node-1.2-unqualified",
    "node-gzip",
    "node-iso-8859-1",
    "node-utf-16",
]


@dataclass(frozen=True)
class Called:
    """A call that ended."""

    outcome: dict[str, Any]
    log: str
    """What the client logged about it."""


def call(stack: Stack, base: str, *operation: str, certificate: tuple[Path, Path] | None = None) -> Called:
    """One call by the product's own client."""
    chain, key = certificate or (stack.local / "pki/client.pem", stack.local / "pki/client.key.pem")
    try:
        mrs_call = os.environ["TEST_MRS_CALL"]
    except KeyError:
        raise NotThere("TEST_MRS_CALL is not set: run this by `cargo xtask test --only interop`.") from None
    command = [mrs_call, "--base", base, "--authority", stack.authority, "--certificate", str(chain), "--key", str(key)]
    done = subprocess.run([*command, *operation], capture_output=True, text=True, check=False, timeout=TIMEOUT)
    assert done.returncode == 0, done.stderr
    return Called(json.loads(done.stdout), done.stderr)


@contextmanager
def serving(stack: Stack, folder: Path) -> Iterator[Servers]:
    """All of them while the block runs. They are built side by side."""
    with ExitStack() as ends, ThreadPoolExecutor() as pool:
        starts = [
            pool.submit(ends.enter_context, _jaxws(stack, folder, "qualified")),
            pool.submit(ends.enter_context, _jaxws(stack, folder, "unqualified")),
            pool.submit(ends.enter_context, _gsoap(stack, folder)),
            pool.submit(ends.enter_context, _gsoap(stack, folder, requests="unqualified")),
            pool.submit(ends.enter_context, _node(stack, folder)),
        ]
        servers: Servers = {}
        for start in starts:
            servers |= start.result()
        assert sorted(servers) == sorted([*NAMES, OTHER_SCHEMA])
        yield servers


@contextmanager
def _jaxws(stack: Stack, folder: Path, form: str) -> Iterator[Servers]:
    """The prefix `S:`, chunked; faults in SOAP 1.1."""
    java, javac = program("java"), program("javac")
    jars = [JAVA / f"{name}.jar" for name in JARS]
    missing = [jar.stem for jar in jars if not jar.exists()]
    if missing:
        raise NotThere(f"JAX-WS is missing ({', '.join(missing)}): `apt install jaxws`.")
    place = folder / f"jaxws-{form}"
    place.mkdir()
    wsdl = _wsdl(place, form)
    path = ":".join(map(str, [*jars, place]))
    import_ = ("com.sun.tools.ws.WsImport", "-extension", "-Xnocompile", "-d", ".", "-p", "gen", str(wsdl))
    built(place, java, "-cp", path, *import_)
    sources = [SOURCES / "jaxws/Mrs.java", *(place / "gen").glob("*.java")]
    built(place, javac, "-nowarn", "-encoding", "UTF-8", "-cp", path, "-d", ".", *map(str, sources))
    store = key_store(stack, place)
    server = (java, "-cp", path, "Mrs", str(store), PASSWORD, stack.authority)
    with running(place, "jaxws", *server) as port:
        yield {f"jaxws-{form}": f"https://localhost:{port}/MRS"}


@contextmanager
def _gsoap(stack: Stack, folder: Path, requests: str = "qualified") -> Iterator[Servers]:
    """The prefix `SOAP-ENV:`, the request's header echoed, gzip unasked; faults in SOAP 1.1 and 1.2."""
    wsdl2h, soapcpp2, compiler = program("wsdl2h"), program("soapcpp2"), program("cc")
    place = folder / f"gsoap-{requests}"
    place.mkdir()
    wsdl = _wsdl(place, "qualified", requests)
    built(place, wsdl2h, "-c", "-s", "-t", str(GSOAP / "WS/typemap.dat"), "-o", "mrs.h", str(wsdl))
    built(place, soapcpp2, "-c", "-S", "-L", "-x", f"-I{GSOAP / 'import'}", "mrs.h")
    sources = (str(SOURCES / "gsoap/server.c"), "soapC.c", "soapServer.c")
    options = ("-DWITH_OPENSSL", "-DWITH_GZIP", "-I.", "-o", "server")
    built(place, compiler, *options, *sources, "-lgsoapssl", "-lssl", "-lcrypto", "-lz")
    identity = place / "identity.pem"
    identity.write_bytes(stack.pem("pki/server.pem") + stack.pem("pki/server.key.pem"))
    with running(place, "gsoap", str(place / "server"), str(identity), stack.authority) as port:
        base = f"https://localhost:{port}"
        if requests == "qualified":
            yield {"gsoap-1.1": f"{base}/MRS", "gsoap-1.2": f"{base}/v12/MRS"}
        else:
            yield {OTHER_SCHEMA: f"{base}/MRS"}


@contextmanager
def _node(stack: Stack, folder: Path) -> Iterator[Servers]:
    """npm `soap`: the prefix `soap:`, either version whatever was asked, either form, gzip and encodings unasked."""
    if not (SOURCES / "npm-soap/node_modules/soap").is_dir():
        raise NotThere("npm `soap` is missing: `npm ci` in tests/interop/soap/npm-soap.")
    files = (SOURCES / "mrs.wsdl", stack.local / "pki/server.pem", stack.local / "pki/server.key.pem")
    server = (node(), str(SOURCES / "npm-soap/server.mjs"), *map(str, files), stack.authority)
    with running(folder, "node", *server) as port:
        base = f"https://localhost:{port}"
        yield {
            "node-1.1-qualified": f"{base}/q11/MRS",
            "node-1.1-unqualified": f"{base}/u11/MRS",
            "node-1.2-qualified": f"{base}/q12/MRS",
            "node-1.2-unqualified": f"{base}/u12/MRS",
            "node-gzip": f"{base}/gzip/MRS",
            "node-iso-8859-1": f"{base}/latin1/MRS",
            "node-utf-16": f"{base}/utf16/MRS",
        }


def _wsdl(place: Path, answers: str, requests: str = "qualified") -> Path:
    """The product's requests are qualified."""
    text = (SOURCES / "mrs.wsdl").read_text()
    file = place / "mrs.wsdl"
    file.write_text(text.replace("@FORM@", answers).replace("@DEFAULT@", requests).replace("@PATH@", "/MRS"))
    return file
