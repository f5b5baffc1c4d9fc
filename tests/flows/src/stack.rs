//! Running stack: addresses of its parts, and its demo client.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Deserialize;

/// Addresses and files of the stack that the tests run against.
#[derive(Debug)]
pub struct Stack {
    /// Addresses of the parts.
    pub endpoints: Endpoints,
    /// Data for the partner's developers.
    pub demo: Demo,
    /// File of the demo client, as the operator applied it.
    pub client: ClientFile,
    folder: PathBuf,
}

/// Content of `endpoints.json`.
#[derive(Debug, Deserialize)]
pub struct Endpoints {
    /// Product.
    pub api: String,
    /// Local AWS.
    pub aws: String,
    /// Site of the demo partner.
    pub partner: String,
    /// Mastercard stand-in.
    pub mastercard: String,
    /// Admin listener of the Mastercard stand-in.
    pub admin: String,
}

/// Content of `demo/demo.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Demo {
    /// `iss` of the tokens.
    pub client_id: String,
    /// Program.
    pub program_id: String,
    /// Address for confirmations.
    pub confirmation_url: String,
    /// Keys and test cards of an issuer.
    pub issuer: DemoIssuer,
}

/// Member `issuer` of `demo/demo.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DemoIssuer {
    /// Id of Mastercard's key that batches are encrypted under.
    pub key_id: String,
    /// Test card numbers by outcome.
    pub cards: BTreeMap<String, String>,
}

/// Part of `demo/client.toml` that the tests need.
#[derive(Debug, Deserialize)]
pub struct ClientFile {
    /// Slug in addresses.
    pub slug: String,
    /// Language of a token that names none.
    pub default_language: String,
    /// Origins that may embed the page.
    pub embed_origins: Vec<String>,
    /// Programs.
    pub programs: Vec<ProgramFile>,
}

/// Program of `demo/client.toml`.
#[derive(Debug, Deserialize)]
pub struct ProgramFile {
    /// Id.
    pub id: String,
    /// Card limit of a customer.
    pub max_cards: usize,
    /// Attempt limit of a customer per hour.
    pub attempts_per_customer_per_hour: usize,
    /// BIN ranges.
    pub bin_ranges: Vec<BinRangeFile>,
}

/// BIN range of `demo/client.toml`.
#[derive(Debug, Deserialize)]
pub struct BinRangeFile {
    /// First.
    pub from: String,
    /// Last.
    pub to: String,
    /// Design code of the cards.
    pub design_code: Option<String>,
}

impl Stack {
    /// Stack that the environment names.
    pub fn here() -> &'static Self {
        static STACK: OnceLock<Result<Stack, String>> = OnceLock::new();
        match STACK.get_or_init(Self::find) {
            Ok(stack) => stack,
            Err(sentence) => panic!("{sentence}"),
        }
    }

    /// Program of the demo client's tokens.
    pub fn program(&self) -> &ProgramFile {
        let named = |program: &&ProgramFile| program.id == self.demo.program_id;
        self.client
            .programs
            .iter()
            .find(named)
            .expect("the program of demo.json stands in client.toml")
    }

    /// File of the stack's folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Text of a file of the stack's folder.
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
