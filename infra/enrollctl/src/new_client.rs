//! Start of a new client: a file to fill in, and a key pair.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use enrollment::client::palette::COLORS;
use enrollment::identifiers::{ClientId, Slug};

use crate::files;

const TEMPLATE: &str = include_str!("../templates/client.toml");
const CLIENT_FILE: &str = "client.toml";
const PRIVATE_KEY: &str = "private-key.pem";
const PUBLIC_KEY: &str = "public-key.pem";

/// Writes the files into `folder`, by default one named after the client, and prints the next steps. Existing files are never
/// overwritten.
pub(crate) fn create(id: &str, name: Option<&str>, folder: Option<PathBuf>) -> Result<()> {
    let id = ClientId::parse(id)?;
    let text = client_file(&id, name.unwrap_or(id.as_str()))?;
    let folder = folder.unwrap_or_else(|| PathBuf::from(id.as_str()));
    let at = |name: &str| folder.join(name);
    for present in [CLIENT_FILE, PRIVATE_KEY, PUBLIC_KEY].map(at) {
        if present.symlink_metadata().is_ok() {
            bail!("{} already exists; nothing was written", present.display());
        }
    }
    let (private, public) = key_pair()?;
    fs::create_dir_all(&folder).with_context(|| format!("can't create {}", folder.display()))?;
    files::create(&at(PRIVATE_KEY), &private, 0o600)?;
    files::create(&at(PUBLIC_KEY), &public, 0o644)?;
    files::create(&at(CLIENT_FILE), &text, 0o644)?;
    println!("{}", next_steps(&id, &folder));
    Ok(())
}

fn client_file(id: &ClientId, name: &str) -> Result<String> {
    ensure!(
        (1..=100).contains(&name.chars().count())
            && !name.trim().is_empty()
            && !name.chars().any(char::is_control),
        "the name must be 1 to 100 characters, none of them a control character"
    );
    let slug = slug(id)?;
    // Without control characters, a JSON string is a TOML one too.
    Ok(TEMPLATE
        .replace("{{id}}", &serde_json::to_string(id.as_str())?)
        .replace("{{slug}}", &serde_json::to_string(slug.as_str())?)
        .replace("{{colors}}", &COLORS.join(", "))
        .replace("{{name}}", &serde_json::to_string(name)?))
}

/// Returns the slug that is closest to an id, which may contain characters that a slug can't have.
fn slug(id: &ClientId) -> Result<Slug> {
    let letters: String = id
        .as_str()
        .to_ascii_lowercase()
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '-'
            }
        })
        .take(40)
        .collect();
    let letters = letters.trim_matches('-');
    Slug::parse(letters)
        .or_else(|_| Slug::parse(&format!("client-{letters}")))
        .with_context(|| format!("no slug can be derived from '{id}'"))
}

/// RSA 3072: PKCS#8 and `SubjectPublicKeyInfo`, as PEM.
fn key_pair() -> Result<(String, String)> {
    let unable = "can't generate an RSA key";
    let pair = KeyPair::generate(KeySize::Rsa3072).context(unable)?;
    let private: Pkcs8V1Der<'_> = pair.as_der().context(unable)?;
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().context(unable)?;
    Ok((
        pem("PRIVATE KEY", private.as_ref()),
        pem("PUBLIC KEY", public.as_ref()),
    ))
}

/// RFC 7468: base64 in lines of 64.
fn pem(label: &str, der: &[u8]) -> String {
    let mut pem = format!("-----BEGIN {label}-----\n");
    // 48 bytes give 64 characters.
    for line in der.chunks(48) {
        STANDARD.encode_string(line, &mut pem);
        pem.push('\n');
    }
    pem + &format!("-----END {label}-----\n")
}

fn next_steps(id: &ClientId, folder: &Path) -> String {
    let at = |name: &str| folder.join(name).display().to_string();
    let (file, key) = (at(CLIENT_FILE), at(PRIVATE_KEY));
    format!(
        "{file} and a key pair have been written. Next:\n\
         1. Replace each PLACEHOLDER in {file} with the value that Mastercard set up.\n\
         2. Apply it:\n   enrollctl --stack NAME client apply {file} --reference TICKET\n\
         3. Test it:\n   enrollctl token sign --key {key} --client {id} --program PROGRAM --customer CUSTOMER \\\n     \
         | enrollctl --stack NAME token open\n\
         4. Send {key} to the operator of the client's back end over a secure channel, and keep no copy.\n   \
         Better: let them generate a pair of their own, and replace this public key with theirs."
    )
}

#[cfg(test)]
mod tests {
    use std::io;

    use enrollment::client::file;
    use enrollment::client::{Client, Look};
    use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};

    use super::*;
    use crate::difference::fingerprint;

    fn open(name: &str) -> io::Result<Vec<u8>> {
        match name {
            PUBLIC_KEY => Ok(crate::difference::tests::PUBLIC_KEY.into()),
            "logo.png" | "logo-dark.png" => Ok(png(420, 180)),
            "favicon.png" => Ok(png(64, 64)),
            "background.png" => Ok(png(1920, 1080)),
            "pl.json" => Ok(b"{}".to_vec()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Rgba);
        let pixels = vec![0; usize::try_from(width * height * 4).unwrap()];
        encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
        bytes
    }

    fn parsed(toml: &str) -> Client {
        file::read(toml, &open).unwrap().client
    }

    fn id(text: &str) -> ClientId {
        ClientId::parse(text).unwrap()
    }

    /// The file with every setting that it leaves out.
    fn with_all_settings(toml: &str) -> String {
        let lines = toml.lines().map(|line| {
            let rest = line.strip_prefix('#').unwrap_or(line);
            let is_setting = rest.starts_with(|first: char| first == '[' || first.is_ascii_lowercase());
            if is_setting { rest } else { line }
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn file_and_keys_fit_together_and_nothing_is_ever_written_over() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = std::env::temp_dir().join(format!("enrollctl-new-{}", std::process::id()));
        create("bank", Some("Bank"), Some(folder.clone())).unwrap();
        let content = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        let mode = |name: &str| folder.join(name).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(PRIVATE_KEY), 0o600);
        let client = file::read(&content(CLIENT_FILE), &|name| fs::read(folder.join(name)))
            .unwrap()
            .client;
        assert!(fingerprint(&client.keys[0].pem).starts_with("RSA 3072, "));

        let private = EncodingKey::from_rsa_pem(content(PRIVATE_KEY).as_bytes()).unwrap();
        let public = DecodingKey::from_rsa_pem(client.keys[0].pem.as_bytes()).unwrap();
        let signature = jsonwebtoken::crypto::sign(b"x", &private, Algorithm::RS256).unwrap();
        assert!(jsonwebtoken::crypto::verify(&signature, b"x", &public, Algorithm::RS256).unwrap());

        let before = [CLIENT_FILE, PRIVATE_KEY, PUBLIC_KEY].map(content);
        fs::remove_file(folder.join(CLIENT_FILE)).unwrap();
        let refused = create("bank", None, Some(folder.clone())).unwrap_err();
        assert!(refused.to_string().contains("already exists"), "{refused}");
        assert!(!folder.join(CLIENT_FILE).exists());
        assert_eq!([PRIVATE_KEY, PUBLIC_KEY].map(content), before[1..]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_file_is_valid_as_it_is_and_by_the_name_that_was_given() {
        let name = "O'Hara & \"Søns\" \\ Bank";
        let client = parsed(&client_file(&id("Bank_1.eu"), name).unwrap());
        assert_eq!(
            (client.id.as_str(), client.slug.as_str()),
            ("Bank_1.eu", "bank-1-eu")
        );
        assert_eq!(client.name, name);
        assert_eq!(client.programs[0].id.as_str(), "PLACEHOLDER");
    }

    #[test]
    fn what_it_calls_the_value_without_a_setting_is_that_value() {
        let text = client_file(&id("bank"), "Bank").unwrap();
        let (bare, mut full) = (parsed(&text), parsed(&with_all_settings(&text)));
        full.programs[0].bin_ranges[0].design_code = None;
        full.programs[0].designs.clear();
        assert_eq!(bare.programs, full.programs);
        assert_eq!((bare.fields, bare.status), (full.fields, full.status));
        let choices = |look: &Look| (look.theme, look.font, look.density, look.hides_mastercard);
        assert_eq!(choices(&bare.look), choices(&full.look));
    }

    #[test]
    fn it_has_every_setting_of_a_client_file() {
        let text = with_all_settings(&client_file(&id("bank"), "Bank").unwrap());
        let mut client = serde_json::to_value(parsed(&text)).unwrap();
        let program = client["programs"][0].take();
        let members = |value: &serde_json::Value| {
            value
                .as_object()
                .unwrap()
                .iter()
                .inspect(|(name, value)| assert!(!value.is_null(), "{name} has no example"))
                .map(|(name, _)| name.clone())
                .collect::<Vec<_>>()
        };
        // Versions of the pictures are made, not set.
        let look = client["look"].as_object_mut().unwrap();
        look.remove("renditions");
        let look = members(&client["look"]);
        for name in [members(&client), members(&program), look].concat() {
            assert!(text.contains(&name), "{name}");
        }
        for empty in ["embed_origins", "confirmation_hosts", "languages", "translations"] {
            assert_ne!(client[empty].to_string().len(), 2, "{empty} has no example");
        }
    }

    #[test]
    fn a_slug_is_made_of_any_id_that_has_something_to_make_it_of() {
        for (from, to) in [("Bank", "bank"), ("api", "client-api"), ("_a.b_", "a-b")] {
            assert_eq!(slug(&id(from)).unwrap().as_str(), to);
        }
        assert_eq!(slug(&id(&"x".repeat(64))).unwrap().as_str().len(), 40);
        assert!(slug(&id("...")).is_err());
    }

    #[test]
    fn unusable_name_is_refused() {
        for name in ["", " ", "a\nb", "\u{7f}", &"x".repeat(101)] {
            assert!(client_file(&id("bank"), name).is_err(), "{name:?}");
        }
    }
}
