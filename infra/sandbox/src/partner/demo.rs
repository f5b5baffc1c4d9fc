//! The demo client, as its partner knows it, read from the demo folder.

use std::path::{Path, PathBuf};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// `demo.json` and the key beside it. Read anew at each use: they may be written after the sandbox was started, or again.
#[derive(Clone)]
pub(crate) struct DemoFolder {
    folder: PathBuf,
    client: Option<String>,
    program: Option<String>,
}

/// The content of `demo.json`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Demo {
    pub(crate) client_id: String,
    pub(crate) program_id: String,
    pub(crate) confirmation_url: Option<String>,
    pub(crate) return_url: Option<String>,
    pub(crate) confirmation_secret: Option<String>,
    pub(crate) test_card: Option<String>,
}

/// Reason for which the demo client can't be used. The text names files, never their content.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error("{file} can't be read: {source}", file = file.display())]
    Read { file: PathBuf, source: std::io::Error },
    #[error("{file} is not what a demo.json looks like", file = file.display())]
    Json { file: PathBuf },
    #[error("{file} is not an RSA private key in PEM", file = file.display())]
    Key { file: PathBuf },
}

impl DemoFolder {
    /// `client` and `program` win over what `demo.json` says.
    pub(crate) fn new(folder: PathBuf, client: Option<String>, program: Option<String>) -> Self {
        Self {
            folder,
            client,
            program,
        }
    }

    pub(crate) fn read(&self) -> Result<Demo, DemoError> {
        let file = self.folder.join("demo.json");
        let mut demo: Demo = serde_json::from_slice(&read(&file)?).map_err(|_| DemoError::Json { file })?;
        demo.client_id = self.client.clone().unwrap_or(demo.client_id);
        demo.program_id = self.program.clone().unwrap_or(demo.program_id);
        Ok(demo)
    }

    /// Returns a text file of the folder.
    pub(crate) fn text(&self, name: &str) -> Result<String, DemoError> {
        let file = self.folder.join(name);
        String::from_utf8(read(&file)?).map_err(|_| DemoError::Json { file })
    }

    /// Signs a token as the partner's back end would (`docs/sources.md#widget`, "Initialization Parameters"). Members
    /// of `changes` replace the defaults; `null` takes one away.
    pub(crate) fn sign(&self, now: u64, changes: &Map<String, Value>) -> Result<String, DemoError> {
        let claims = claims(&self.read()?, now, changes);
        let file = self.folder.join("private-key.pem");
        let key =
            EncodingKey::from_rsa_pem(&read(&file)?).map_err(|_| DemoError::Key { file: file.clone() })?;
        encode(&Header::new(Algorithm::RS256), &claims, &key).map_err(|_| DemoError::Key { file })
    }
}

fn claims(demo: &Demo, now: u64, changes: &Map<String, Value>) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    put("iss", json!(demo.client_id));
    put("sub", json!("demo-customer"));
    put("actionCode", json!("N"));
    put("programId", json!(demo.program_id));
    put("iat", json!(now));
    put("exp", json!(now + 600));
    if let Some(url) = &demo.confirmation_url {
        put("confirmationUrl", json!(url));
    }
    if let Some(url) = &demo.return_url {
        put("returnUrl", json!(url));
    }
    for (name, value) in changes {
        if value.is_null() {
            claims.remove(name);
        } else {
            claims.insert(name.clone(), value.clone());
        }
    }
    claims
}

fn read(file: &Path) -> Result<Vec<u8>, DemoError> {
    std::fs::read(file).map_err(|source| DemoError::Read {
        file: file.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_replace_add_and_take_away() {
        let demo = Demo {
            client_id: "demo".to_owned(),
            program_id: "10765".to_owned(),
            confirmation_url: Some("https://localhost:8702/confirmations".to_owned()),
            return_url: Some("http://localhost:8701/return".to_owned()),
            confirmation_secret: None,
            test_card: None,
        };
        let changes = json!({"sub": "me", "confirmationUrl": null, "language": "pl_PL"});
        let claims = claims(&demo, 1_000, changes.as_object().unwrap());
        let expected = json!({
            "iss": "demo", "sub": "me", "actionCode": "N", "programId": "10765", "iat": 1_000, "exp": 1_600, "language": "pl_PL",
            "returnUrl": "http://localhost:8701/return",
        });
        assert_eq!(Value::Object(claims), expected);
    }

    #[test]
    fn an_empty_folder_is_told_by_the_name_of_the_file() {
        let folder = DemoFolder::new("/nowhere".into(), None, None);
        assert!(
            folder
                .read()
                .err()
                .unwrap()
                .to_string()
                .starts_with("/nowhere/demo.json can't be read")
        );
    }
}
