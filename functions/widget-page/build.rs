//! Names and integrity values of the page's parts, computed at build time to keep the function's start fast, and the
//! released versions of embed.js.

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
    fs::write(Path::new(&out).join("parts.rs"), source)?;
    fs::write(
        Path::new(&out).join("embed_scripts.rs"),
        released(&Path::new(&root).join("embed/released"))?,
    )
}

/// The table of `src/embed_scripts.rs`: both files of each version.
fn released(folder: &Path) -> io::Result<String> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut versions: Vec<_> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
    versions.sort_by_key(fs::DirEntry::file_name);
    let mut source =
        "/// Every file of every released version.\nconst RELEASED: &[EmbedScript] = &[\n".to_owned();
    for version in versions {
        let number = version
            .file_name()
            .into_string()
            .map_err(|_| io::ErrorKind::InvalidData)?;
        for (name, content_type) in [
            ("embed.js", "text/javascript; charset=utf-8"),
            ("embed.d.ts", "text/plain; charset=utf-8"),
        ] {
            let file = version.path().join(name);
            println!("cargo::rerun-if-changed={}", file.display());
            let file = file.display().to_string();
            writeln!(
                source,
                "    EmbedScript {{ version: {number:?}, name: {name:?}, content_type: {content_type:?}, \
                 bytes: include_bytes!({file:?}) }},",
            )
            .map_err(io::Error::other)?;
        }
    }
    source.push_str("];\n");
    Ok(source)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
