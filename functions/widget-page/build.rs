//! Names and integrity values of the page's parts, computed at build time to keep the function's start fast.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256, Sha384};

const PARTS: [(&str, &str, &str, &str); 3] = [
    ("SCRIPT", "widget", "js", "text/javascript; charset=utf-8"),
    ("STYLE", "widget", "css", "text/css; charset=utf-8"),
    ("ICON", "icon", "svg", "image/svg+xml"),
];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=page/dist");
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;

    let mut source = String::new();
    for (constant, stem, extension, content_type) in PARTS {
        let file = Path::new(&root)
            .join("page/dist")
            .join(format!("{stem}.{extension}"));
        println!("cargo::rerun-if-changed={}", file.display());
        let bytes = fs::read(&file)?;
        let file = file.display().to_string();
        let name = format!("{stem}.{}.{extension}", hexadecimal(&Sha256::digest(&bytes)[..8]));
        let integrity = format!("sha384-{}", STANDARD.encode(Sha384::digest(&bytes)));
        writeln!(
            source,
            "/// `{stem}.{extension}`\npub const {constant}: Part = Part {{ name: {name:?}, content_type: {content_type:?}, \
             bytes: include_bytes!({file:?}), integrity: {integrity:?} }};",
        )
        .map_err(io::Error::other)?;
    }
    fs::write(Path::new(&out).join("parts.rs"), source)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
