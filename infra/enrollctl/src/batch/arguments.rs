//! Options of `batch`.

use std::path::PathBuf;

use card_file::Layout;
use clap::{ArgGroup, Args, Subcommand};

use super::folder::card_id_name;

/// Commands of `batch`.
#[derive(Debug, Subcommand)]
pub(crate) enum BatchCommand {
    /// Checks a card file, encrypts it here and submits it in batches; repeated, it resumes. Exit code: 0 every card accepted,
    /// 1 refused or failed, 3 done, but cards failed or are unknown, 4 not finished.
    Submit(Box<SubmitArguments>),
    /// Shows how far a run is. Exit code as of `submit`.
    Status {
        #[command(flatten)]
        run: RunArguments,
    },
    /// Writes the results of a run as CSV. Exit code as of `submit`.
    Results {
        #[command(flatten)]
        run: RunArguments,
        /// The result file, `-` for standard output.
        #[arg(long, value_name = "FILE", default_value = "-")]
        output: PathBuf,
        /// Wait until every card has its result.
        #[arg(long, requires = "key")]
        wait: bool,
    },
}

/// Run that a command is about.
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// State folder of the run.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// The issuer's private key (PEM, RSA): ask the service for news first. Without it, the state folder alone is read.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Id of the key in the client file.
    #[arg(long, value_name = "ID", requires = "key")]
    pub(crate) token_key_id: Option<String>,
}

/// Options of `batch submit`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("encryption").args(["key_list", "encryption_key"]))]
pub(crate) struct SubmitArguments {
    /// The card file (CSV). Its columns are in the README of the crate `card-file`.
    pub(crate) file: PathBuf,
    /// State folder of the run. Keep it until the results are written.
    #[arg(long, value_name = "DIR", required_unless_present = "check")]
    pub(crate) state: Option<PathBuf>,
    /// Check the file only; submit nothing.
    #[arg(long)]
    pub(crate) check: bool,
    /// Public base address of the service.
    #[arg(long, value_name = "URL", required_unless_present = "check")]
    pub(crate) url: Option<String>,
    /// The issuer's client id, claim `iss`.
    #[arg(long, value_name = "ID", required_unless_present = "check")]
    pub(crate) client: Option<String>,
    /// The issuer's private key for tokens (PEM, RSA).
    #[arg(long, value_name = "FILE", required_unless_present = "check")]
    pub(crate) key: Option<PathBuf>,
    /// Id of that key in the client file.
    #[arg(long, value_name = "ID")]
    pub(crate) token_key_id: Option<String>,
    /// Address of Mastercard's key list (https).
    #[arg(long, value_name = "URL")]
    pub(crate) key_list: Option<String>,
    /// Trust only these authorities (PEM) for the key list [default: the public ones].
    #[arg(long, value_name = "FILE", requires = "key_list")]
    pub(crate) authorities: Option<PathBuf>,
    /// Mastercard's public key: PEM, DER, certificate or key list.
    #[arg(long, value_name = "FILE")]
    pub(crate) encryption_key: Option<PathBuf>,
    /// Name of the key, `kid` of the JWE [default: the only key of the list].
    #[arg(long, value_name = "KID")]
    pub(crate) kid: Option<String>,
    /// Fingerprint that the key must have: SHA-256 of its DER (`SubjectPublicKeyInfo`).
    #[arg(long, value_name = "HEX")]
    pub(crate) fingerprint: Option<String>,
    /// Content encryption.
    #[arg(long, value_name = "ENC", default_value = "A128GCM", value_parser = ["A128GCM", "A256GCM"])]
    pub(crate) content_encryption: String,
    /// Name of a card's id inside the encrypted content, as agreed with Mastercard.
    #[arg(long, value_name = "NAME", default_value = "externalCardId",
        value_parser = ["externalCardId", "externalCredentialId"])]
    pub(crate) card_id_name: String,
    /// Address for a confirmation of each batch.
    #[arg(long, value_name = "URL")]
    pub(crate) confirmation_url: Option<String>,
    /// Refuse the file if the id of a card is in it twice. Without this option, only within 20,000 cards.
    #[arg(long)]
    pub(crate) unique_ids: bool,
    /// First digits of a card number that identify its account range.
    #[arg(long, value_name = "COUNT", default_value_t = 8, value_parser = clap::value_parser!(u8).range(6..=11))]
    pub(crate) range_digits: u8,
    /// Cards among which account ranges are interleaved; they are in memory together.
    #[arg(long, value_name = "COUNT", default_value_t = 20_000, overrides_with = "window", value_parser = clap::value_parser!(u16).range(500..=20_000))]
    pub(crate) window: u16,
    /// Number of faults to list.
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    pub(crate) faults: usize,
    /// Requests at the same time.
    #[arg(long, value_name = "COUNT", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub(crate) parallel: u8,
    /// Label that becomes part of the batches' ids, to submit the same file once more.
    #[arg(long, value_name = "LABEL", default_value = "")]
    pub(crate) run: String,
    /// Result file [default: the card file's name with .results.csv].
    #[arg(long, value_name = "FILE")]
    pub(crate) results: Option<PathBuf>,
    /// End once every batch is submitted; `results` fetches the results later.
    #[arg(long)]
    pub(crate) no_wait: bool,
}

impl SubmitArguments {
    /// Form of the content, and rules by which it is cut.
    pub(crate) fn layout(&self) -> Layout {
        Layout {
            card_id_name: card_id_name(&self.card_id_name),
            range_digits: usize::from(self.range_digits),
            window_cards: usize::from(self.window),
        }
    }
}
