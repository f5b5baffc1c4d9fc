//! Size of the page's parts, compressed as API Gateway compresses them.

use std::io::Write as _;

use anyhow::{Context as _, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use flows::call;
use flows::stack::Stack;

use crate::bounds::{self, Exceeded};

/// Loads the demo client's page from the running stack, and the parts that it names.
pub(crate) fn measure(exceeded: &mut Exceeded) -> Result<()> {
    let api = &Stack::here().endpoints.api;
    let page = call::get(&format!("{api}/widget/{}/", Stack::here().client.slug));
    ensure!(page.status == 200, "the page is answered with {}", page.status);
    let html = page.text();
    println!("\nThe page, gzip");
    let mut together = line("page", html)?;
    let paths = || {
        html.split('"')
            .filter(|word| word.contains("/widget/assets/widget."))
    };
    for kind in [".js", ".css"] {
        ensure!(
            paths().any(|path| path.ends_with(kind)),
            "the page names no part that ends in {kind}"
        );
    }
    for path in paths() {
        let part = call::get(&format!("{api}{path}"));
        ensure!(part.status == 200, "{path} is answered with {}", part.status);
        together += line(path.rsplit('/').next().unwrap_or(path), part.text())?;
    }
    println!("{:<36}{together:>8} bytes of {}", "together", bounds::PAGE);
    exceeded.judge("bytes of the page's parts", together, bounds::PAGE);
    Ok(())
}

fn line(name: &str, content: &str) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content.as_bytes())?;
    let size = encoder.finish().context("compressing")?.len();
    println!("{name:<36}{size:>8} bytes");
    Ok(size)
}
