//! SOAP stacks of other makers, which serve MRS in the suite `interop`.

use anyhow::Result;

use crate::checkout::Checkout;
use crate::programs::interrupt::Interrupt;
use crate::toolchain::node::Node;
use crate::toolchain::prerequisites::{file_or_packages, program_or_package};

/// npm `soap`, with its lock file.
const NPM_SOAP: &str = "tests/interop/soap/npm-soap";

/// Files by which Debian's packages are known, and the packages.
const PACKAGES: [(&str, &[&str]); 3] = [
    ("/usr/share/java/jaxws-tools.jar", &["jaxws"]),
    ("/usr/include/stdsoap2.h", &["gsoap", "libgsoap-dev"]),
    ("/usr/include/openssl/ssl.h", &["libssl-dev", "zlib1g-dev"]),
];

/// Installs JAX-WS, gSOAP and npm `soap` where they are missing.
pub(super) fn ready(checkout: &Checkout, node: &Node, interrupt: &Interrupt) -> Result<()> {
    program_or_package("javac", "openjdk-17-jdk-headless", interrupt)?;
    program_or_package("wsdl2h", "gsoap", interrupt)?;
    for (file, packages) in PACKAGES {
        file_or_packages(file, packages, interrupt)?;
    }
    node.install_packages(checkout, &checkout.root().join(NPM_SOAP), interrupt)
}
