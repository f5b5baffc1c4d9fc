use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand};

/// The operator's tool of a card-enrollment stack.
#[derive(Debug, Parser)]
#[command(name = "enrollctl", version, about)]
pub(crate) struct Arguments {
    /// The stack to work on, by its name.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) stack: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Clients' set-ups.
    #[command(subcommand)]
    Client(ClientCommand),
    /// Tokens to try a client's integration with; no AWS needed.
    #[command(subcommand)]
    Token(TokenCommand),
    /// What is stored of a person: shown, exported, erased, with a line in the client's audit trail each time.
    #[command(subcommand)]
    Customer(CustomerCommand),
    /// Compares a client's cards with what Mastercard holds. Ends with 0 where both agree, 1 where they differ, 2 where
    /// that could not be told, 3 where so much differs that nothing was repaired.
    Reconcile(ReconcileArguments),
    /// Shows what an incident id stands for: which client and program, which outcome; and what Mastercard wrote.
    Incident {
        /// As the customer or the partner was shown it.
        id: String,
        #[command(flatten)]
        revealing: Revealing,
    },
    /// Shows an audit trail: who revealed what, changed trust or keys, or had something sent again, when and why.
    Audit {
        /// Of this client; the stack's own where it is left out.
        #[arg(long, value_name = "ID")]
        client: Option<String>,
    },
    /// Intents: what settlement has not come to an end with.
    #[command(subcommand)]
    Intents(IntentsCommand),
    /// Confirmations to partners: what is parked, and what they are signed with.
    #[command(subcommand)]
    Confirmations(ConfirmationsCommand),
    /// What Mastercard gave you: the client certificate and the key to encrypt card numbers under.
    #[command(subcommand)]
    Mastercard(MastercardCommand),
}

impl Command {
    /// The exit code where the command fails. 1, but for what compares, as diff(1) does: there, 1 tells of differences.
    pub(crate) fn failure(&self) -> u8 {
        match self {
            Self::Client(ClientCommand::Diff { .. }) | Self::Reconcile(_) => 2,
            _ => 1,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum IntentsCommand {
    /// Lists those of which Mastercard's answers have proved nothing for a day.
    List {
        /// All that are unsettled, instead.
        #[arg(long)]
        all: bool,
        /// At most so many are looked at, those whose turn comes first.
        #[arg(long, default_value_t = 1000)]
        limit: usize,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// Writes a client file to fill in, and a fresh key pair; no AWS needed.
    New {
        /// The client's id: what its tokens say in `iss`.
        id: String,
        /// Its name for people; the id where it is left out.
        #[arg(long)]
        name: Option<String>,
        /// Where the files go; a folder of the client's id where it is left out.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Shows what applying a client file would change: exit code 0 nothing, 1 something, 2 it can't be told.
    Diff {
        /// The client file.
        file: PathBuf,
    },
    /// Applies a client file (TOML), after showing what it would change.
    Apply {
        /// The client file; what it names lies relative to it.
        file: PathBuf,
        /// Don't ask.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        reason: Reason,
    },
    /// Shows a client as it is stored: status, programs, keys.
    Show {
        /// The client's id.
        id: String,
        /// The whole set-up, as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Suspends a client at once, whatever its file says: its tokens are refused.
    Suspend {
        /// The client's id.
        id: String,
        /// Lifts the suspension instead.
        #[arg(long)]
        lift: bool,
        #[command(flatten)]
        reason: Reason,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CustomerCommand {
    /// Shows what is stored, without what is personal.
    Show(Person),
    /// Prints everything that is stored, as JSON: for the person who asks.
    Export(Person),
    /// Erases everything that is stored, at once and for good.
    Erase {
        #[command(flatten)]
        person: Person,
        /// Have Mastercard cancel the cards that are in the program, first. Without it, nothing is erased while there are
        /// such cards.
        #[arg(long)]
        opt_out: bool,
        /// Don't ask.
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

/// Whom it is about, and why.
#[derive(Debug, Args)]
pub(crate) struct Person {
    /// The client's id.
    #[arg(long, value_name = "ID")]
    pub(crate) client: String,
    /// Only in this program; in all of the client's, those that it has given up too, where it is left out.
    #[arg(long, value_name = "ID")]
    pub(crate) program: Option<String>,
    /// A file with the customer's id, `-` for standard input: in an argument, every process could read it.
    #[arg(long, value_name = "FILE")]
    pub(crate) customer_file: PathBuf,
    #[command(flatten)]
    pub(crate) reason: Reason,
}

/// Why something is done.
#[derive(Debug, Args)]
pub(crate) struct Reason {
    /// Your name of the request or ticket, for the audit trail. It must not name a person.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reference: String,
}

/// Which client is compared, what else is done, and why.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("audited").args(["repair", "reveal"]).multiple(true))]
pub(crate) struct ReconcileArguments {
    /// The client's id.
    pub(crate) client: String,
    /// Repairs what differs. Without it, it is only told. Leaves a line in the audit trail.
    #[arg(long, requires = "reference")]
    pub(crate) repair: bool,
    /// Repairs although nothing agrees, or more than a few cards differ: up to this many, which a run without `--repair`
    /// has shown.
    #[arg(long, value_name = "COUNT", requires = "repair")]
    pub(crate) accept_differences: Option<usize>,
    /// Also Mastercard's names of cards. Leaves a line in the audit trail.
    #[arg(long, requires = "reference")]
    pub(crate) reveal: bool,
    /// Your name of the request or ticket, for the audit trail. It must not name a person.
    #[arg(long, value_name = "TEXT", requires = "audited")]
    pub(crate) reference: Option<String>,
}

impl ReconcileArguments {
    /// Why, where something is to be repaired or revealed.
    pub(crate) fn reason(&self) -> Option<Reason> {
        let reference = self.reference.clone()?;
        Some(Reason { reference })
    }
}

/// Whether personal data are shown, and why.
#[derive(Debug, Args)]
pub(crate) struct Revealing {
    /// Also what is personal: addresses, bodies, Mastercard's words. Leaves a line in the audit trail.
    #[arg(long, requires = "reference")]
    pub(crate) reveal: bool,
    /// Your name of the request or ticket, for the audit trail. It must not name a person.
    #[arg(long, value_name = "TEXT", requires = "reveal")]
    pub(crate) reference: Option<String>,
}

impl Revealing {
    /// Why, where personal data are to be shown.
    pub(crate) fn reason(&self) -> Option<Reason> {
        let reference = self.reference.clone().filter(|_| self.reveal)?;
        Some(Reason { reference })
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Signs a token and prints it.
    Sign(Claims),
    /// Opens the widget with a token and prints the answer: `Enrollment-Status` and `Location`.
    Open {
        /// The token; read from standard input where it is left out.
        token: Option<String>,
        /// Where the product answers, such as `http://localhost:8700`; the stack's address where it is left out.
        #[arg(long)]
        url: Option<String>,
    },
}

/// What a token says.
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
    /// Where the outcome is confirmed; https, on a registered host.
    #[arg(long, value_name = "URL")]
    pub(crate) confirmation_url: Option<String>,
    /// The last four digits of the card that is meant.
    #[arg(long, value_name = "DIGITS")]
    pub(crate) last4: Option<String>,
    /// How long the token may be used.
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) lifetime: u32,
    /// The id of the key, as the client file has it.
    #[arg(long)]
    pub(crate) kid: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfirmationsCommand {
    /// Lists those that are parked: they are not sent any more by themselves.
    List {
        /// Of this client only.
        #[arg(long, value_name = "ID")]
        client: Option<String>,
        /// Those that are still tried, instead.
        #[arg(long)]
        due: bool,
        /// At most so many.
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Shows how one stands.
    Show {
        /// Its `webhook-id`.
        id: String,
        #[command(flatten)]
        revealing: Revealing,
    },
    /// Has them sent again at once, with all attempts before them.
    Replay {
        #[command(flatten)]
        chosen: Chosen,
        #[command(flatten)]
        reason: Reason,
    },
    /// Deletes them: the partner is never told.
    Drop {
        #[command(flatten)]
        chosen: Chosen,
        /// Don't ask.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        reason: Reason,
    },
    /// What a client's confirmations are signed with.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Says under which authorities a client's receivers are believed.
    Trust {
        /// The client's id.
        #[arg(long, value_name = "ID")]
        client: String,
        /// Beside the public authorities, those of this file (PEM).
        #[arg(long, value_name = "FILE", required_unless_present = "public")]
        authorities: Option<PathBuf>,
        /// The public authorities only.
        #[arg(long, conflicts_with = "authorities")]
        public: bool,
        #[command(flatten)]
        reason: Reason,
    },
}

/// Some confirmations by name, or all parked ones of a client.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Chosen {
    /// Their `webhook-id`s.
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// All that are parked for this client.
    #[arg(long, value_name = "CLIENT")]
    pub(crate) all_parked_of: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Shows where the secret lies, and public keys.
    Show {
        /// The client's id.
        #[arg(long, value_name = "ID")]
        client: String,
    },
    /// Adds a new key before the one in use. Both sign until `retire`, so that the partner can change over meanwhile.
    Rotate {
        /// The client's id.
        #[arg(long, value_name = "ID")]
        client: String,
        /// An ed25519 key, for signatures `v1a`, instead of a shared secret.
        #[arg(long)]
        asymmetric: bool,
        #[command(flatten)]
        reason: Reason,
    },
    /// Ends a rotation: only the newest key stays.
    Retire {
        /// The client's id.
        #[arg(long, value_name = "ID")]
        client: String,
        /// Of the ed25519 keys, instead of the shared secrets.
        #[arg(long)]
        asymmetric: bool,
        #[command(flatten)]
        reason: Reason,
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
        /// The fingerprint that the key must have, if you have it from elsewhere.
        #[arg(long, value_name = "HEX")]
        fingerprint: Option<String>,
        #[command(flatten)]
        reason: Reason,
    },
}

/// Where the client certificate lies.
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
    /// A file with the password of the PKCS#12 file: in an argument, every process could read it.
    #[arg(long, value_name = "FILE", requires = "pkcs12")]
    pub(crate) password_file: Option<PathBuf>,
    /// The only authorities to believe as Mastercard's servers (PEM); the public ones where it is left out.
    #[arg(long, value_name = "FILE")]
    pub(crate) authorities: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reason: Reason,
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
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_stack_may_stand_before_or_after_the_command() {
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
    fn only_of_a_diff_1_is_no_failure() {
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
    fn a_token_has_its_defaults() {
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
    fn confirmations_are_chosen_by_name_or_all_of_a_client() {
        let replay = |rest: &str| parse(&format!("enrollctl confirmations replay --reference R {rest}"));
        assert!(replay("msg_1 msg_2").is_ok());
        assert!(replay("--all-parked-of demo").is_ok());
        assert!(replay("msg_1 --all-parked-of demo").is_err());
        assert!(parse("enrollctl confirmations drop --reference R").is_err());
    }

    #[test]
    fn a_client_certificate_comes_in_one_of_two_ways() {
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
    fn nothing_is_revealed_changed_or_sent_again_without_a_reason() {
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
