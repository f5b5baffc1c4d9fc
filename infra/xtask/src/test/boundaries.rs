//! Dependencies between crates (docs/architecture.md): the domain knows no platform, the wire protocols no domain.

use std::process::Command;

use anyhow::{Result, bail};

use crate::checkout::Checkout;
use crate::console::note;
use crate::programs::command::capture;

/// A crate and its forbidden dependencies, at any depth. A trailing `*` stands for any ending. `aws-lc-*` is always
/// allowed: a cryptographic library, which has nothing to do with AWS's services.
const RULES: [(&str, &[&str]); 4] = [
    (
        "enrollment",
        &[
            "aws-*",
            "reqwest",
            "hyper*",
            "lambda*",
            "tokio",
            "platform",
            "mastercard",
            "webhooks",
        ],
    ),
    (
        "mastercard",
        &[
            "aws-sdk-*",
            "aws-config",
            "aws-smithy-*",
            "lambda*",
            "enrollment",
            "platform",
            "webhooks",
        ],
    ),
    (
        "webhooks",
        &[
            "aws-sdk-*",
            "aws-config",
            "aws-smithy-*",
            "lambda*",
            "enrollment",
            "mastercard",
            "platform",
        ],
    ),
    (
        "harness",
        &[
            "aws-*",
            "reqwest",
            "hyper*",
            "lambda*",
            "platform",
            "mastercard",
            "webhooks",
        ],
    ),
];

pub(crate) fn check(checkout: &Checkout) -> Result<()> {
    for (package, forbidden) in RULES {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(checkout.root()).args([
            "tree",
            "--package",
            package,
            "--edges",
            "normal",
            "--prefix",
            "none",
        ]);
        let tree = capture(cargo.args(["--format", "{p}"]))?;
        let found = forbidden_in(&tree, package, forbidden);
        if !found.is_empty() {
            bail!(
                "{package} must not depend on {} (`cargo tree -p {package} -i {}`)",
                found.join(", "),
                found[0]
            );
        }
        note(&format!("{package}: none of {}", forbidden.join(", ")));
    }
    Ok(())
}

fn forbidden_in<'a>(tree: &'a str, package: &str, forbidden: &[&str]) -> Vec<&'a str> {
    let names = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != package);
    let is_forbidden = |name: &str| {
        !name.starts_with("aws-lc-")
            && forbidden.iter().any(|rule| {
                rule.strip_suffix('*')
                    .map_or(*rule == name, |start| name.starts_with(start))
            })
    };
    let mut found: Vec<&str> = names.filter(|name| is_forbidden(name)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_dependency_is_found_at_any_depth() {
        let tree = "enrollment v0.1.0 (/x)\nserde v1.0.0\naws-lc-rs v1.0.0\naws-config v1.0.0\ntokio v1.0.0\ntokio-util v0.7.0\naws-config v1.0.0 (*)\n";
        assert_eq!(
            forbidden_in(tree, "enrollment", &["aws-*", "tokio"]),
            ["aws-config", "tokio"]
        );
        assert!(forbidden_in(tree, "enrollment", &["enrollment", "hyper*"]).is_empty());
    }
}
