//! A sandbox with its own PKI and demo folder, ended and removed with the test.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{LazyLock, Once};
use std::time::Duration;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    PKCS_RSA_SHA256, RsaKeySize,
};
use reqwest::{Certificate, Client, Identity};
use sandbox::{Addresses, Clock, MrsSettings, Sandbox, Settings, Upstream};
use serde_json::json;

pub(crate) const CONFIRMATION_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// RSA keys take a while to make: one for all tests, as the card key and as the client's.
static RSA_PEM: LazyLock<String> = LazyLock::new(|| {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)
        .unwrap()
        .serialize_pem()
});

pub(crate) struct Around {
    sandbox: Option<Sandbox>,
    settings: Settings,
    pub(crate) folder: PathBuf,
    authority: Authority,
}

/// A CA that issues client certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Around {
    /// A sandbox whose front passes calls on to `upstream`.
    pub(crate) async fn start(upstream: &str) -> Self {
        Self::start_with(upstream, "http://127.0.0.1:9", Clock::system()).await
    }

    pub(crate) async fn start_with(upstream: &str, public_base_url: &str, clock: Clock) -> Self {
        let mut name = [0; 8];
        SystemRandom::new().fill(&mut name).unwrap();
        let folder = std::env::temp_dir().join(format!("sandbox-test-{}", hex::encode(name)));
        fs::create_dir_all(&folder).unwrap();
        let authority = Authority::new();
        let (certificate, key) =
            authority.issue(&["localhost", "127.0.0.1"], ExtendedKeyUsagePurpose::ServerAuth);
        let demo = json!({
            "clientId": "demo", "programId": "10765", "confirmationUrl": "https://localhost:8702/confirmations",
            "confirmationSecret": CONFIRMATION_SECRET, "testCard": "5234000000090123",
        });
        let public = KeyPair::from_pem(&RSA_PEM).unwrap().public_key_pem();
        for (file, content) in [
            ("ca.pem", &authority.pem),
            ("server.pem", &certificate),
            ("server.key.pem", &key),
            ("rewards.key.pem", &RSA_PEM),
            ("issuer-encryption.key.pem", &RSA_PEM),
            ("issuer-signing.pub.pem", &public),
            ("private-key.pem", &RSA_PEM),
            ("demo.json", &demo.to_string()),
            (
                "batch.csv",
                &include_str!("../../../local/demo/batch.csv").to_owned(),
            ),
        ] {
            fs::write(folder.join(file), content).unwrap();
        }
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let settings = Settings {
            recorder: None,
            pki: folder.clone(),
            demo: folder.clone(),
            upstream: Upstream::parse(&upstream.replace("FOLDER", folder.to_str().unwrap())),
            public_base_url: public_base_url.to_owned(),
            client: None,
            program: None,
            mrs: MrsSettings::default(),
            state: Some(folder.join("mrs.json")),
            listen: Addresses {
                api: any,
                partner: any,
                receiver: any,
                mastercard: any,
                admin: any,
            },
            clock,
        };
        let sandbox = Sandbox::start(settings.clone()).await.unwrap();
        Self {
            sandbox: Some(sandbox),
            settings,
            folder,
            authority,
        }
    }

    pub(crate) fn at(&self) -> Addresses {
        self.sandbox.as_ref().unwrap().addresses()
    }

    /// A client that trusts the CA and shows what `identity` is.
    pub(crate) fn client(&self, identity: Option<Identity>) -> Client {
        client(&self.authority.pem, identity)
    }

    /// Certificate of the CA.
    pub(crate) fn authority_pem(&self) -> &str {
        &self.authority.pem
    }

    /// Private key that signs an issuer's calls.
    pub(crate) fn signing_key() -> &'static str {
        &RSA_PEM
    }

    /// A client certificate of the sandbox's CA.
    pub(crate) fn identity(&self) -> Identity {
        self.authority.identity(ExtendedKeyUsagePurpose::ClientAuth)
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// File that `--state` names.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.join("mrs.json")
    }

    /// Ends at once, as a process that is killed, and starts again.
    pub(crate) async fn restart(&mut self) {
        drop(self.sandbox.take());
        self.sandbox = Some(Sandbox::start(self.settings.clone()).await.unwrap());
    }

    pub(crate) async fn end(mut self) {
        if let Some(sandbox) = self.sandbox.take() {
            sandbox.end().await;
        }
    }
}

impl Drop for Around {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "Sandbox test CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    pub(crate) fn identity(&self, usage: ExtendedKeyUsagePurpose) -> Identity {
        let (certificate, key) = self.issue(&["client"], usage);
        Identity::from_pem([certificate, key].concat().as_bytes()).unwrap()
    }

    fn issue(&self, names: &[&str], usage: ExtendedKeyUsagePurpose) -> (String, String) {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "these tests are the callers; the product's client is not under test here"
)]
fn client(authority: &str, identity: Option<Identity>) -> Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    });
    let authority = Certificate::from_pem(authority.as_bytes()).unwrap();
    let builder = Client::builder()
        .tls_certs_only([authority])
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(20));
    match identity {
        Some(identity) => builder.identity(identity),
        None => builder,
    }
    .build()
    .unwrap()
}
