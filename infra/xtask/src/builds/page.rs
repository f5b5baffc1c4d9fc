//! `cargo xtask page`: the widget's page, for those who work on it. `cargo build` needs none of this.

use std::path::PathBuf;

use anyhow::Result;

use crate::checkout::Checkout;
use crate::console::heading;
use crate::programs::interrupt::Interrupt;
use crate::toolchain::node::Node;

const FOLDER: &str = "functions/widget-page/page";

/// Checks, tests and builds it; the result is committed.
pub(crate) fn check_and_build(checkout: &Checkout, interrupt: &Interrupt) -> Result<()> {
    let node = ready(checkout, interrupt)?;
    scripts(checkout, &node, &["check", "test", "build", "size"], interrupt)
}

/// Its folder's packages.
pub(crate) fn ready(checkout: &Checkout, interrupt: &Interrupt) -> Result<Node> {
    let node = Node::install(checkout, interrupt)?;
    node.install_packages(checkout, &folder(checkout), interrupt)?;
    Ok(node)
}

/// Runs scripts of its package.json in turn.
pub(crate) fn scripts(
    checkout: &Checkout,
    node: &Node,
    scripts: &[&str],
    interrupt: &Interrupt,
) -> Result<()> {
    for script in scripts {
        heading(&format!("page: {script}"));
        node.run(&folder(checkout), script, interrupt)?;
    }
    Ok(())
}

fn folder(checkout: &Checkout) -> PathBuf {
    checkout.root().join(FOLDER)
}
