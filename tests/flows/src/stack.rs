//! The running stack: where its parts listen, and what its demo client is.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Deserialize;

/// Addresses and files of the stack that the tests run against.
#[derive(Debug)]
pub struct Stack {
    /// Where its parts listen.
    pub endpoints: Endpoints,
    /// What the partner's developers are given.
    pub demo: Demo,
    /// The demo client's file, as the operator applied it.
    pub client: ClientFile,
    folder: PathBuf,
}

/// `endpoints.json`.
#[derive(Debug, Deserialize)]
pub struct Endpoints {
    /// The product.
    pub api: String,
    /// The local AWS.
    pub aws: String,
    /// The demo partner's site.
    pub partner: String,
    /// The Mastercard stand-in.
    pub mastercard: String,
    /// The admin listener of the Mastercard stand-in.
    pub admin: String,
}

/// `demo/demo.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Demo {
    /// `iss` of its tokens.
    pub client_id: String,
    /// Its program.
    pub program_id: String,
    /// Where its confirmations go.
    pub confirmation_url: String,
}

/// What the tests need of `demo/client.toml`.
#[derive(Debug, Deserialize)]
pub struct ClientFile {
    /// Its name in addresses.
    pub slug: String,
    /// Language of a token that names none.
    pub default_language: String,
    /// Origins that may embed the page.
    pub embed_origins: Vec<String>,
    /// Programs.
    pub programs: Vec<ProgramFile>,
}

/// A program of `demo/client.toml`.
#[derive(Debug, Deserialize)]
pub struct ProgramFile {
    /// Its id.
    pub id: String,
    /// Cards that a customer may have.
    pub max_cards: usize,
    /// Submissions of one customer in an hour.
    pub attempts_per_customer_per_hour: usize,
    /// Which cards belong to it.
    pub bin_ranges: Vec<BinRangeFile>,
}

/// A BIN range of `demo/client.toml`.
#[derive(Debug, Deserialize)]
pub struct BinRangeFile {
    /// First.
    pub from: String,
    /// Last.
    pub to: String,
    /// What its cards look like.
    pub design_code: Option<String>,
}

impl Stack {
    /// The stack that the environment names.
    pub fn here() -> &'static Self {
        static STACK: OnceLock<Result<Stack, String>> = OnceLock::new();
        match STACK.get_or_init(Self::find) {
            Ok(stack) => stack,
            Err(sentence) => panic!("{sentence}"),
        }
    }

    /// The program that the demo client's tokens name.
    pub fn program(&self) -> &ProgramFile {
        let named = |program: &&ProgramFile| program.id == self.demo.program_id;
        self.client
            .programs
            .iter()
            .find(named)
            .expect("the program of demo.json stands in client.toml")
    }

    /// A file of the stack's folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The text of a file of the stack's folder.
    pub fn text(&self, name: &str) -> String {
        read(&self.file(name)).unwrap_or_else(|sentence| panic!("{sentence}"))
    }

    fn find() -> Result<Self, String> {
        let endpoints = variable("TEST_ENDPOINTS")?;
        let folder = PathBuf::from(variable("TEST_LOCAL")?);
        let endpoints = json(Path::new(&endpoints))?;
        let demo = json(&folder.join("demo/demo.json"))?;
        let file = folder.join("demo/client.toml");
        let client = toml::from_str(&read(&file)?)
            .map_err(|error| format!("{} is not a client's file: {error}", file.display()))?;
        Ok(Self {
            endpoints,
            demo,
            client,
            folder,
        })
    }
}

fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| {
        format!(
            "{name} is not set: run these tests by `cargo xtask test --only flows`, which starts the stack"
        )
    })
}

fn json<T: serde::de::DeserializeOwned>(file: &Path) -> Result<T, String> {
    serde_json::from_str(&read(file)?)
        .map_err(|error| format!("{} can't be understood: {error}", file.display()))
}

fn read(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|error| {
        format!(
            "{} can't be read ({error}): is the stack up (`cargo xtask up`)?",
            file.display()
        )
    })
}
