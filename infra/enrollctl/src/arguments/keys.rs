//! Arguments of `enrollctl keys`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Makes an RSA key pair. Files are never overwritten; the private key can be read by its owner only.
    New {
        /// File for the private key (PKCS#8 PEM), or `-`.
        file: PathBuf,
        /// File for the public key (PEM).
        #[arg(long, value_name = "FILE")]
        public: Option<PathBuf>,
        /// Length of the modulus: 2048, 3072 or 4096.
        #[arg(long, default_value_t = 2048)]
        bits: usize,
    },
    /// Makes a certificate request (PKCS#10 PEM) for a key, as Mastercard's portal asks for it.
    Csr {
        #[command(flatten)]
        key: PrivateKeyFile,
        /// Common name of the subject.
        #[arg(long, value_name = "TEXT")]
        common_name: String,
        /// Organization of the subject.
        #[arg(long, value_name = "TEXT")]
        organization: Option<String>,
        /// Organizational unit of the subject.
        #[arg(long, value_name = "TEXT")]
        unit: Option<String>,
        /// Locality of the subject.
        #[arg(long, value_name = "TEXT")]
        locality: Option<String>,
        /// State or province of the subject.
        #[arg(long, value_name = "TEXT")]
        state: Option<String>,
        /// Country of the subject: two letters.
        #[arg(long, value_name = "CODE")]
        country: Option<String>,
        /// File for the request [default: standard output].
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Shows length and fingerprints of a key or certificate: PEM, DER or PKCS#12, private or public.
    Fingerprint {
        /// The file, or `-`.
        file: PathBuf,
        /// File with the password of a PKCS#12 file. An argument would be visible to every process.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Fetches a key list (JWKS) and writes the key with the expected fingerprint; without one, shows the list. Exit code: 0
    /// found, 1 not in the list, 2 failure.
    Fetch {
        /// Address of the key list (https).
        url: String,
        /// Expected fingerprint of the public key.
        #[arg(long, value_name = "HEX")]
        fingerprint: Option<String>,
        /// Expected name of the key (`kid`).
        #[arg(long, value_name = "TEXT", requires = "fingerprint")]
        kid: Option<String>,
        /// File for the key (PEM) [default: standard output].
        #[arg(long, value_name = "FILE", requires = "fingerprint")]
        out: Option<PathBuf>,
        /// Trust only these authorities (PEM) for the server [default: the public ones].
        #[arg(long, value_name = "FILE")]
        authorities: Option<PathBuf>,
    },
}

/// File with a private key.
#[derive(Debug, Args)]
pub(crate) struct PrivateKeyFile {
    /// Private key: PEM, DER or PKCS#12, or `-`.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// File with the password of a PKCS#12 file. An argument would be visible to every process.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}
