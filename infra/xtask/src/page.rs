//! `cargo xtask page`: the widget's page, for those who work on it. `cargo build` needs none of this.

use std::path::PathBuf;

use anyhow::Result;

use crate::console::heading;
use crate::interrupt::Interrupt;
use crate::node::Node;
use crate::place::Place;

const FOLDER: &str = "functions/widget-page/page";

/// Checks, tests and builds it; the result is committed.
pub(crate) fn check_and_build(place: &Place, interrupt: &Interrupt) -> Result<()> {
    let node = ready(place, interrupt)?;
    scripts(place, &node, &["check", "test", "build", "size"], interrupt)
}

/// Its folder's packages.
pub(crate) fn ready(place: &Place, interrupt: &Interrupt) -> Result<Node> {
    let node = Node::install(place, interrupt)?;
    node.install_packages(place, &folder(place), interrupt)?;
    Ok(node)
}

/// Runs scripts of its package.json in turn.
pub(crate) fn scripts(place: &Place, node: &Node, scripts: &[&str], interrupt: &Interrupt) -> Result<()> {
    for script in scripts {
        heading(&format!("page: {script}"));
        node.run(&folder(place), script, interrupt)?;
    }
    Ok(())
}

fn folder(place: &Place) -> PathBuf {
    place.root().join(FOLDER)
}
