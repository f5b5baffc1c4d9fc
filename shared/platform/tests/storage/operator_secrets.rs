use std::sync::Arc;

use enrollment::identifiers::ClientId;
use enrollment::ports::StoreError;
use jiff::SignedDuration;
use platform::SystemRandomness;
use platform::operator::secret_version::{self, SecretReplacement};
use platform::secrets::{Secrets, TlsIdentity};
use secrecy::{ExposeSecret as _, SecretString};

use engine::{TestClock, local_aws, random_name};

const PUBLIC_KEY: &str = include_str!("../../../mastercard/tests/fixtures/rsa-2048-public.pem");
const FINGERPRINT: &str = include_str!("../../../mastercard/tests/fixtures/rsa-2048-public.sha256");

struct Scene {
    manager: aws_sdk_secretsmanager::Client,
    prefix: String,
    clock: Arc<TestClock>,
    secrets: Secrets,
}

impl Scene {
    fn new() -> Self {
        let manager = local_aws().secrets_manager();
        let (prefix, clock) = (random_name("test-secrets"), Arc::new(TestClock::default()));
        let secrets = Secrets::new(manager.clone(), &prefix, Arc::clone(&clock) as _);
        Self {
            manager,
            prefix,
            clock,
            secrets,
        }
    }

    async fn write(&self, name: &str, value: serde_json::Value) {
        let name = format!("{}/{name}", self.prefix);
        let created = self
            .manager
            .create_secret()
            .name(&name)
            .secret_string(value.to_string())
            .send()
            .await;
        if created.is_err() {
            self.manager
                .put_secret_value()
                .secret_id(&name)
                .secret_string(value.to_string())
                .send()
                .await
                .unwrap();
        }
    }
}

fn key(reference: &str, fingerprint: &str) -> serde_json::Value {
    serde_json::json!({"keyReference": reference, "publicKey": PUBLIC_KEY, "fingerprint": fingerprint})
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn the_encryption_key_is_checked_remembered_and_taken_up_anew() {
    let scene = Scene::new();
    let missing = scene.secrets.encryption_key().await.unwrap_err();
    assert!(matches!(missing, StoreError::Unavailable { .. }), "{missing}");
    assert_eq!(
        missing.to_string(),
        "reading a secret failed: mastercard/encryption: ResourceNotFoundException with HTTP status 400"
    );
    scene
        .write("mastercard/encryption", key("119009", &"0".repeat(64)))
        .await;
    assert!(matches!(
        scene.secrets.encryption_key().await,
        Err(StoreError::Unreadable { .. })
    ));
    scene.secrets.refresh();
    scene
        .write("mastercard/encryption", key("119009", FINGERPRINT.trim()))
        .await;
    let read = scene.secrets.encryption_key().await.unwrap();
    assert_eq!(
        (read.reference.as_str(), read.fingerprint.as_str()),
        ("119009", FINGERPRINT.trim())
    );
    scene
        .write("mastercard/encryption", key("122744", FINGERPRINT.trim()))
        .await;
    scene.clock.advance(SignedDuration::from_secs(299));
    assert_eq!(scene.secrets.encryption_key().await.unwrap().reference, "119009");
    scene.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(scene.secrets.encryption_key().await.unwrap().reference, "122744");
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn mutual_tls_material_is_pem_or_pkcs12_with_a_version() {
    let scene = Scene::new();
    let pem = serde_json::json!({"certificate": "C", "privateKey": "K", "certificateAuthorities": "A"});
    scene.write("mastercard/mtls", pem).await;
    let first = scene.secrets.mutual_tls().await.unwrap();
    assert_eq!(first.certificate_authorities.as_deref(), Some("A"));
    assert!(
        matches!(&first.identity, TlsIdentity::Pem { private_key, .. } if private_key.expose_secret() == "K")
    );
    assert_eq!(scene.secrets.mutual_tls().await.unwrap().version, first.version);

    scene
        .write(
            "mastercard/mtls",
            serde_json::json!({"pkcs12": "AQID", "password": "P"}),
        )
        .await;
    scene.secrets.refresh();
    let second = scene.secrets.mutual_tls().await.unwrap();
    assert_ne!(second.version, first.version);
    assert!(
        matches!(&second.identity, TlsIdentity::Pkcs12 { file, .. } if file.expose_secret() == [1, 2, 3])
    );

    scene
        .write("mastercard/mtls", serde_json::json!({"certificate": "C"}))
        .await;
    scene.secrets.refresh();
    assert!(matches!(
        scene.secrets.mutual_tls().await,
        Err(StoreError::Unreadable { .. })
    ));
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_clients_confirmation_secrets_are_read_in_their_order() {
    let scene = Scene::new();
    let client = ClientId::parse("demo").unwrap();
    scene
        .write(
            "clients/demo/confirmation",
            serde_json::json!({"secrets": ["whsec_b", "whsec_a"]}),
        )
        .await;
    let (read, version) = scene.secrets.confirmation_secrets(&client).await.unwrap();
    assert!(!version.is_empty());
    let order: Vec<_> = read
        .secrets
        .iter()
        .map(|secret| secret.expose_secret().to_owned())
        .collect();
    assert_eq!(order, ["whsec_b", "whsec_a"]);
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn of_two_writers_at_once_neither_loses_the_others_change() {
    let scene = Scene::new();
    let client = ClientId::parse("demo").unwrap();
    let name = "clients/demo/confirmation";
    scene
        .write(name, serde_json::json!({"secrets": ["whsec_a"]}))
        .await;
    let full_name = format!("{}/{name}", scene.prefix);
    let replace = async |value: serde_json::Value, read: &str| {
        let value = SecretString::from(value.to_string());
        secret_version::replace(&scene.manager, &full_name, &value, read, &SystemRandomness)
            .await
            .unwrap()
    };
    let read = async || {
        scene.secrets.refresh();
        let (read, version) = scene.secrets.confirmation_secrets(&client).await.unwrap();
        let secrets = read.secrets.iter();
        let secrets: Vec<String> = secrets.map(|secret| secret.expose_secret().to_owned()).collect();
        (secrets, version)
    };

    // Both have read the same version; one rotates, the other believes another authority.
    let (_, version) = read().await;
    let rotated = serde_json::json!({"secrets": ["whsec_b", "whsec_a"]});
    assert_eq!(replace(rotated, &version).await, SecretReplacement::Replaced);
    let late = serde_json::json!({"secrets": ["whsec_a"], "certificateAuthorities": "PEM"});
    assert_eq!(replace(late, &version).await, SecretReplacement::Conflict);
    let (secrets, current) = read().await;
    assert_eq!(secrets, ["whsec_b", "whsec_a"], "the first one's stands");
    assert_ne!(current, version);

    // Whoever reads again may write.
    let again = serde_json::json!({"secrets": ["whsec_b", "whsec_a"], "certificateAuthorities": "PEM"});
    assert_eq!(replace(again, &current).await, SecretReplacement::Replaced);
    assert_ne!(read().await.1, current);
    // No version keeps a label of ours.
    let described = scene.manager.describe_secret().secret_id(&full_name).send().await;
    let stages = described.unwrap().version_ids_to_stages.unwrap_or_default();
    assert!(
        !stages
            .values()
            .flatten()
            .any(|label| label.starts_with("pending")),
        "{stages:?}"
    );
}
