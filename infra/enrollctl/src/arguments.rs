pub(crate) mod field;
pub(crate) mod jwe;
pub(crate) mod keys;
pub(crate) mod oauth;

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand};

use crate::batch::BatchCommand;
use crate::{preview, translation_file};

/// Command-line tool for the operator of a card-enrollment stack.
#[derive(Debug, Parser)]
#[command(name = "enrollctl", version, about)]
pub(crate) struct Arguments {
    /// Name of the stack.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) stack: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Manages clients.
    #[command(subcommand)]
    Client(ClientCommand),
    /// Signs tokens and opens the widget with them, to test a client's integration; no AWS needed.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Enrolls an issuer's cards from a CSV: encrypted here, in batches; no AWS needed.
    #[command(subcommand)]
    Batch(BatchCommand),
    /// Shows, exports or erases a person's records; each use is recorded in the client's audit trail.
    #[command(subcommand)]
    Customer(CustomerCommand),
    /// Compares a client's cards with Mastercard's. Exit code: 0 no differences, 1 differences, 2 comparison incomplete, 3 too
    /// many differences to repair.
    Reconcile(ReconcileArguments),
    /// Shows the client, program and outcome of an incident id, and Mastercard's message.
    Incident {
        /// Incident id, as shown to the customer or the partner.
        id: String,
        #[command(flatten)]
        revealing: RevealArguments,
    },
    /// Shows an audit trail: personal data revealed, trust or keys changed, confirmations resent; by whom, when and why.
    Audit {
        /// Client whose trail is shown [default: the stack's own trail].
        #[arg(long, value_name = "ID")]
        client: Option<String>,
    },
    /// Lists intents that settlement has not finished.
    #[command(subcommand)]
    Intents(IntentsCommand),
    /// Manages confirmations to partners and their signing keys.
    #[command(subcommand)]
    Confirmations(ConfirmationsCommand),
    /// Stores the credentials that Mastercard issued: the client certificate and the key that encrypts card numbers.
    #[command(subcommand)]
    Mastercard(MastercardCommand),
    /// Signs requests to Mastercard's REST interfaces with OAuth 1.0a, checks signatures, explains refusals; no AWS needed.
    #[command(subcommand, name = "oauth")]
    OAuth(oauth::OAuthCommand),
    /// Makes, shows and fetches RSA keys for Mastercard's interfaces; no AWS needed.
    #[command(subcommand)]
    Keys(keys::KeyCommand),
    /// Encrypts and decrypts JWEs, as Mastercard's REST interfaces take them; no AWS needed.
    #[command(subcommand)]
    Jwe(jwe::JweCommand),
    /// Encrypts and decrypts parts of JSON payloads, as Mastercard's client-encryption libraries do; no AWS needed.
    #[command(subcommand)]
    Field(field::FieldCommand),
}

impl Command {
    /// Returns the exit code of a failure: 2 for commands that compare, where 1 means differences as in diff(1); else 1.
    pub(crate) fn failure(&self) -> u8 {
        match self {
            Self::Client(ClientCommand::Diff { .. })
            | Self::Reconcile(_)
            | Self::OAuth(
                oauth::OAuthCommand::Verify { .. } | oauth::OAuthCommand::BaseString { gateway: Some(_), .. },
            )
            | Self::Keys(keys::KeyCommand::Fetch { .. }) => 2,
            _ => 1,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum IntentsCommand {
    /// Lists intents whose state at Mastercard has been unknown for a day.
    List {
        /// List all unsettled intents.
        #[arg(long)]
        all: bool,
        /// Number of intents to look at, earliest due first.
        #[arg(long, default_value_t = 1000)]
        limit: usize,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// Writes a client file to fill in, and a new key pair; no AWS needed.
    New {
        /// The client's id, claim `iss` of its tokens.
        id: String,
        /// Display name [default: the id].
        #[arg(long)]
        name: Option<String>,
        /// Folder for the files [default: a folder named after the id].
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Shows what applying a client file would change. Exit code: 0 no changes, 1 changes, 2 failure.
    Diff {
        /// The client file.
        file: PathBuf,
    },
    /// Writes a file to translate: the page's texts with the English beside each; no AWS needed for a client file.
    Texts(translation_file::TextsArguments),
    /// Shows the page of a client file, before it is applied: every state with sample data, in every language, light and dark;
    /// no AWS needed.
    Preview(preview::PreviewArguments),
    /// Applies a client file (TOML) after showing the changes.
    Apply {
        /// The client file; files that it names are relative to it.
        file: PathBuf,
        /// Do not ask for confirmation.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        reason: AuditReference,
    },
    /// Shows a stored client: status, programs, keys.
    Show {
        /// The client's id.
        id: String,
        /// Print the whole set-up as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Suspends a client at once, whatever its file says; its tokens are refused.
    Suspend {
        /// The client's id.
        id: String,
        /// Lift the suspension instead.
        #[arg(long)]
        lift: bool,
        #[command(flatten)]
        reason: AuditReference,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CustomerCommand {
    /// Shows the stored records, without personal data.
    Show(DataSubjectArguments),
    /// Prints all stored records as JSON, for the person who requested them.
    Export(DataSubjectArguments),
    /// Erases all stored records, immediately and permanently.
    Erase {
        #[command(flatten)]
        person: DataSubjectArguments,
        /// Have Mastercard cancel or delete the enrolled cards first. Without this option, nothing is erased while a card is
        /// enrolled.
        #[arg(long)]
        opt_out: bool,
        /// Do not ask for confirmation.
        #[arg(long)]
        yes: bool,
    },
    /// Shows a client's audit trail.
    Audit {
        /// The client's id.
        #[arg(long, value_name = "ID")]
        client: String,
    },
}

/// Data subject whose records are processed, and the reference of the request.
#[derive(Debug, Args)]
pub(crate) struct DataSubjectArguments {
    /// The client's id.
    #[arg(long, value_name = "ID")]
    pub(crate) client: String,
    /// Limit to this program [default: all of the client's, retired ones included].
    #[arg(long, value_name = "ID")]
    pub(crate) program: Option<String>,
    /// File with the customer's id, `-` for standard input. An argument would be visible to every process. The same id is looked
    /// for among the consumers of an issuer's batches.
    #[arg(long, value_name = "FILE")]
    pub(crate) customer_file: PathBuf,
    #[command(flatten)]
    pub(crate) reason: AuditReference,
}

/// Reference of an audited action, such as a ticket.
#[derive(Debug, Args)]
pub(crate) struct AuditReference {
    /// Your reference of the request or ticket, for the audit trail. It must not name a person.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reference: String,
}

/// Options of `reconcile`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("audited").args(["repair", "reveal"]).multiple(true))]
pub(crate) struct ReconcileArguments {
    /// The client's id.
    pub(crate) client: String,
    /// Repair differences instead of only reporting them. Recorded in the audit trail.
    #[arg(long, requires = "reference")]
    pub(crate) repair: bool,
    /// Repair up to this many differences even if no card agrees or more than a few differ; review them first without
    /// `--repair`.
    #[arg(long, value_name = "COUNT", requires = "repair")]
    pub(crate) accept_differences: Option<usize>,
    /// Also show Mastercard's ids of cards. Recorded in the audit trail.
    #[arg(long, requires = "reference")]
    pub(crate) reveal: bool,
    /// Your reference of the request or ticket, for the audit trail. It must not name a person.
    #[arg(long, value_name = "TEXT", requires = "audited")]
    pub(crate) reference: Option<String>,
}

impl ReconcileArguments {
    /// Returns the reason, if something is to be repaired or revealed.
    pub(crate) fn reason(&self) -> Option<AuditReference> {
        let reference = self.reference.clone()?;
        Some(AuditReference { reference })
    }
}

/// Request to reveal personal data, and its reason.
#[derive(Debug, Args)]
pub(crate) struct RevealArguments {
    /// Also show personal data: addresses, bodies, Mastercard's messages. Recorded in the audit trail.
    #[arg(long, requires = "reference")]
    pub(crate) reveal: bool,
    /// Your reference of the request or ticket, for the audit trail. It must not name a person.
    #[arg(long, value_name = "TEXT", requires = "reveal")]
    pub(crate) reference: Option<String>,
}

impl RevealArguments {
    /// Returns the reason, if personal data are to be shown.
    pub(crate) fn reason(&self) -> Option<AuditReference> {
        let reference = self.reference.clone().filter(|_| self.reveal)?;
        Some(AuditReference { reference })
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Signs a token and prints it.
    Sign(Claims),
    /// Opens the widget with a token and prints `Enrollment-Status` and `Location` of the answer.
    Open {
        /// The token [default: read from standard input].
        token: Option<String>,
        /// Public base address, such as `http://localhost:8700` [default: the stack's].
        #[arg(long)]
        url: Option<String>,
    },
}

/// Claims of a token, and the key that signs it.
#[derive(Debug, Args)]
pub(crate) struct Claims {
    /// The client's private key (PEM, RSA).
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The client's id, claim `iss`.
    #[arg(long)]
    pub(crate) client: String,
    /// The program's id, claim `programId`.
    #[arg(long)]
    pub(crate) program: String,
    /// The customer's id, claim `sub`.
    #[arg(long)]
    pub(crate) customer: String,
    /// The action code: N enrolls, R replaces, C opts out.
    #[arg(long, default_value = "N", value_parser = ["N", "R", "C"])]
    pub(crate) action: String,
    /// The page's language, such as `en_US`.
    #[arg(long)]
    pub(crate) language: Option<String>,
    /// Address for the confirmation; https, on a registered host.
    #[arg(long, value_name = "URL")]
    pub(crate) confirmation_url: Option<String>,
    /// Address to which the customer goes back; one of the client's return targets.
    #[arg(long, value_name = "URL")]
    pub(crate) return_url: Option<String>,
    /// Last four digits of the card to replace or remove.
    #[arg(long, value_name = "DIGITS")]
    pub(crate) last4: Option<String>,
    /// Lifetime of the token.
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) lifetime: u32,
    /// Id of the key in the client file.
    #[arg(long)]
    pub(crate) kid: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfirmationsCommand {
    /// Lists parked confirmations, which are no longer retried.
    List {
        /// Limit to this client.
        #[arg(long, value_name = "ID")]
        client: Option<String>,
        /// List confirmations that are still retried instead.
        #[arg(long)]
        due: bool,
        /// Maximum number of entries.
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Shows the state of a confirmation.
    Show {
        /// `webhook-id` of the confirmation.
        id: String,
        #[command(flatten)]
        revealing: RevealArguments,
    },
    /// Sends confirmations again, immediately and with all attempts anew.
    Replay {
        #[command(flatten)]
        chosen: ConfirmationSelection,
        #[command(flatten)]
        reason: AuditReference,
    },
    /// Deletes confirmations; the partner never receives them.
    Drop {
        #[command(flatten)]
        chosen: ConfirmationSelection,
        /// Do not ask for confirmation.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        reason: AuditReference,
    },
    /// Manages the signing keys of a client's confirmations.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Sets the certificate authorities that a client's receivers are trusted under.
    Trust {
        /// The client's id.
        #[arg(long, value_name = "ID")]
        client: String,
        /// Trust the authorities of this file (PEM) beside the public ones.
        #[arg(long, value_name = "FILE", required_unless_present = "public")]
        authorities: Option<PathBuf>,
        /// Trust the public authorities only.
        #[arg(long, conflicts_with = "authorities")]
        public: bool,
        #[command(flatten)]
        reason: AuditReference,
    },
}

/// Selection of confirmations: by id, or all parked ones of a client.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ConfirmationSelection {
    /// `webhook-id`s of the confirmations.
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Select all parked confirmations of this client.
    #[arg(long, value_name = "CLIENT")]
    pub(crate) all_parked_of: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Shows the name of the secret, and public keys.
    Show {
        /// The client's id.
        #[arg(long, value_name = "ID")]
        client: String,
    },
    /// Adds a new key. Both keys sign until `retire`, so that the partner can switch in between.
    Rotate {
        /// The client's id.
        #[arg(long, value_name = "ID")]
        client: String,
        /// Use an ed25519 key, for signatures `v1a`, instead of a shared secret.
        #[arg(long)]
        asymmetric: bool,
        #[command(flatten)]
        reason: AuditReference,
    },
    /// Ends a rotation; only the newest key remains.
    Retire {
        /// The client's id.
        #[arg(long, value_name = "ID")]
        client: String,
        /// Retire the older ed25519 key instead of the older shared secret.
        #[arg(long)]
        asymmetric: bool,
        #[command(flatten)]
        reason: AuditReference,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum MastercardCommand {
    /// Stores the client certificate for mutual TLS, as PEM files or as one PKCS#12 file.
    Mtls(MutualTlsFiles),
    /// Stores the public key that pages encrypt card numbers under.
    EncryptionKey {
        /// Mastercard's reference of the key: 119009 for test, 122744 for production.
        #[arg(long, value_name = "TEXT")]
        key_reference: String,
        /// The key or its certificate (PEM).
        #[arg(long, value_name = "FILE")]
        public_key: PathBuf,
        /// Expected fingerprint, if you received it separately.
        #[arg(long, value_name = "HEX")]
        fingerprint: Option<String>,
        #[command(flatten)]
        reason: AuditReference,
    },
}

/// Files of the client certificate.
#[derive(Debug, Args)]
pub(crate) struct MutualTlsFiles {
    /// The certificate with its chain (PEM).
    #[arg(
        long,
        value_name = "FILE",
        requires = "key",
        required_unless_present = "pkcs12"
    )]
    pub(crate) certificate: Option<PathBuf>,
    /// Its private key (PKCS#8 PEM, not encrypted).
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub(crate) key: Option<PathBuf>,
    /// Certificate and key as one PKCS#12 file.
    #[arg(
        long,
        value_name = "FILE",
        requires = "password_file",
        conflicts_with = "certificate"
    )]
    pub(crate) pkcs12: Option<PathBuf>,
    /// File with the password of the PKCS#12 file. An argument would be visible to every process.
    #[arg(long, value_name = "FILE", requires = "pkcs12")]
    pub(crate) password_file: Option<PathBuf>,
    /// Trust only these authorities (PEM) for Mastercard's servers [default: the public ones].
    #[arg(long, value_name = "FILE")]
    pub(crate) authorities: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reason: AuditReference,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use clap::error::ErrorKind;

    use super::*;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split(' '))
    }

    #[test]
    fn definition_is_valid() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn stack_may_precede_or_follow_the_command() {
        for line in [
            "enrollctl --stack local client apply demo.toml --yes --reference R",
            "enrollctl client apply demo.toml --yes --reference R --stack local",
        ] {
            let arguments = parse(line).unwrap();
            assert_eq!(arguments.stack.as_deref(), Some("local"));
            assert!(matches!(
                arguments.command,
                Command::Client(ClientCommand::Apply { yes: true, .. })
            ));
        }
    }

    #[test]
    fn diff_fails_with_2() {
        let failure = |line: &str| parse(line).unwrap().command.failure();
        assert_eq!(failure("enrollctl --stack local client diff demo.toml"), 2);
        assert_eq!(
            failure("enrollctl --stack local client apply demo.toml --reference R"),
            1
        );
        assert_eq!(
            failure("enrollctl --stack local client suspend demo --lift --reference R"),
            1
        );
    }

    #[test]
    fn token_has_its_defaults() {
        let line = "enrollctl token sign --key k.pem --client demo --program 10765 --customer maria";
        let Command::Token(TokenCommand::Sign(claims)) = parse(line).unwrap().command else {
            panic!()
        };
        assert_eq!(
            (claims.action.as_str(), claims.lifetime, claims.kid),
            ("N", 600, None)
        );
        assert_eq!(
            parse(&format!("{line} --action X")).unwrap_err().kind(),
            ErrorKind::InvalidValue
        );
        assert!(parse("enrollctl token sign --client demo").is_err());
    }

    #[test]
    fn confirmations_are_selected_by_id_or_client() {
        let replay = |rest: &str| parse(&format!("enrollctl confirmations replay --reference R {rest}"));
        assert!(replay("msg_1 msg_2").is_ok());
        assert!(replay("--all-parked-of demo").is_ok());
        assert!(replay("msg_1 --all-parked-of demo").is_err());
        assert!(parse("enrollctl confirmations drop --reference R").is_err());
    }

    #[test]
    fn client_certificate_is_pem_or_pkcs12() {
        let mtls = |rest: &str| {
            parse(&format!(
                "enrollctl --stack local mastercard mtls --reference R {rest}"
            ))
        };
        assert!(mtls("--certificate c.pem --key k.pem --authorities a.pem").is_ok());
        assert!(mtls("--pkcs12 c.p12 --password-file p.txt").is_ok());
        for wrong in [
            "--certificate c.pem",
            "--key k.pem",
            "--pkcs12 c.p12",
            "--authorities a.pem",
        ] {
            assert!(mtls(wrong).is_err(), "{wrong}");
        }
        assert!(mtls("--certificate c.pem --key k.pem --pkcs12 c.p12 --password-file p.txt").is_err());
    }

    #[test]
    fn audited_command_requires_a_reference() {
        for line in [
            "client apply demo.toml",
            "client suspend demo",
            "customer show --client demo --customer-file f",
            "customer export --client demo --customer-file f",
            "customer erase --client demo --customer-file f",
            "reconcile demo --reveal",
            "reconcile demo --repair",
            "reconcile demo --repair --accept-differences 2",
            "reconcile demo --repair --reveal",
            "incident AAAA-BBBB-CCCC --reveal",
            "confirmations show msg_1 --reveal",
            "confirmations replay msg_1",
            "confirmations drop msg_1",
            "confirmations trust --client demo --public",
            "confirmations keys rotate --client demo",
            "confirmations keys retire --client demo",
            "mastercard mtls --certificate c.pem --key k.pem",
            "mastercard encryption-key --key-reference 119009 --public-key k.pem",
        ] {
            let error = parse(&format!("enrollctl {line}")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::MissingRequiredArgument, "{line}");
            assert!(
                parse(&format!("enrollctl {line} --reference R")).is_ok(),
                "{line}"
            );
        }
    }
}
