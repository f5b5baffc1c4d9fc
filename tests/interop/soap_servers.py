"""MRS served by third-party SOAP stacks from one WSDL (`soap/mrs.wsdl`), over TLS with client certificates."""

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
"""JAX-WS and its dependencies, in a working order."""
GSOAP = Path("/usr/share/gsoap")

OTHER_SCHEMA = "gsoap-other-schema"
"""Server that requires children without a namespace; the product sends them with one."""

Servers = dict[str, str]
"""Addresses of the services by server: those of `NAMES`, and `OTHER_SCHEMA`."""

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
class CallResult:
    """A call that ended."""

    outcome: dict[str, Any]
    log: str
    """Log of the client."""


def call(stack: Stack, base: str, *operation: str, certificate: tuple[Path, Path] | None = None) -> CallResult:
    """Makes one call with the product's client."""
    chain, key = certificate or (stack.local / "pki/client.pem", stack.local / "pki/client.key.pem")
    try:
        mrs_call = os.environ["TEST_MRS_CALL"]
    except KeyError:
        raise NotThere("TEST_MRS_CALL is not set: run this by `cargo xtask test --only interop`.") from None
    command = [mrs_call, "--base", base, "--authority", stack.authority, "--certificate", str(chain), "--key", str(key)]
    done = subprocess.run([*command, *operation], capture_output=True, text=True, check=False, timeout=TIMEOUT)
    assert done.returncode == 0, done.stderr
    return CallResult(json.loads(done.stdout), done.stderr)


@contextmanager
def serving(stack: Stack, folder: Path) -> Iterator[Servers]:
    """Builds all servers in parallel, and runs them during the block."""
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
    """JAX-WS: prefix `S:`, chunked; faults in SOAP 1.1."""
    java, javac = program("java"), program("javac")
    jars = [JAVA / f"{name}.jar" for name in JARS]
    missing = [jar.stem for jar in jars if not jar.exists()]
    if missing:
        raise NotThere(f"JAX-WS is missing ({', '.join(missing)}): `apt install jaxws`.")
    workdir = folder / f"jaxws-{form}"
    workdir.mkdir()
    wsdl = _wsdl(workdir, form)
    path = ":".join(map(str, [*jars, workdir]))
    import_ = ("com.sun.tools.ws.WsImport", "-extension", "-Xnocompile", "-d", ".", "-p", "gen", str(wsdl))
    built(workdir, java, "-cp", path, *import_)
    sources = [SOURCES / "jaxws/Mrs.java", *(workdir / "gen").glob("*.java")]
    built(workdir, javac, "-nowarn", "-encoding", "UTF-8", "-cp", path, "-d", ".", *map(str, sources))
    store = key_store(stack, workdir)
    server = (java, "-cp", path, "Mrs", str(store), PASSWORD, stack.authority)
    with running(workdir, "jaxws", *server) as port:
        yield {f"jaxws-{form}": f"https://localhost:{port}/MRS"}


@contextmanager
def _gsoap(stack: Stack, folder: Path, requests: str = "qualified") -> Iterator[Servers]:
    """gSOAP: prefix `SOAP-ENV:`, echoes the request's header, always gzips; faults in SOAP 1.1 and 1.2."""
    wsdl2h, soapcpp2, compiler = program("wsdl2h"), program("soapcpp2"), program("cc")
    workdir = folder / f"gsoap-{requests}"
    workdir.mkdir()
    wsdl = _wsdl(workdir, "qualified", requests)
    built(workdir, wsdl2h, "-c", "-s", "-t", str(GSOAP / "WS/typemap.dat"), "-o", "mrs.h", str(wsdl))
    built(workdir, soapcpp2, "-c", "-S", "-L", "-x", f"-I{GSOAP / 'import'}", "mrs.h")
    sources = (str(SOURCES / "gsoap/server.c"), "soapC.c", "soapServer.c")
    options = ("-DWITH_OPENSSL", "-DWITH_GZIP", "-I.", "-o", "server")
    built(workdir, compiler, *options, *sources, "-lgsoapssl", "-lssl", "-lcrypto", "-lz")
    identity = workdir / "identity.pem"
    identity.write_bytes(stack.pem("pki/server.pem") + stack.pem("pki/server.key.pem"))
    with running(workdir, "gsoap", str(workdir / "server"), str(identity), stack.authority) as port:
        base = f"https://localhost:{port}"
        if requests == "qualified":
            yield {"gsoap-1.1": f"{base}/MRS", "gsoap-1.2": f"{base}/v12/MRS"}
        else:
            yield {OTHER_SCHEMA: f"{base}/MRS"}


@contextmanager
def _node(stack: Stack, folder: Path) -> Iterator[Servers]:
    """npm `soap`: prefix `soap:`, both SOAP versions, both forms, gzip and encodings without negotiation."""
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


def _wsdl(workdir: Path, answers: str, requests: str = "qualified") -> Path:
    """Writes the WSDL; the product's requests are qualified."""
    text = (SOURCES / "mrs.wsdl").read_text()
    file = workdir / "mrs.wsdl"
    file.write_text(text.replace("@FORM@", answers).replace("@DEFAULT@", requests).replace("@PATH@", "/MRS"))
    return file
