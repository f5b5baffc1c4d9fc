//! `enrollctl` as an operator runs it, against the local AWS.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on must end"
)]

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use enrollment::randomness::Randomness as _;
use platform::SystemRandomness;
use platform::aws::Aws;

const PUBLIC_KEY: &str = include_str!("../../../shared/mastercard/tests/fixtures/rsa-2048-public.pem");
const FINGERPRINT: &str = include_str!("../../../shared/mastercard/tests/fixtures/rsa-2048-public.sha256");
const CLIENT_FILE: &str = r#"
    id = "demo"
    slug = "demo"
    name = "Demo Bank"
    default_language = "en"
    [[keys]]
    id = "2026-11"
    file = "public-key.pem"
    [look]
    logo = "logo.png"
    [[programs]]
    id = "10765"
    member_ica = 1234
    bank_product_code = "MRSDEMO"
    [[programs.bin_ranges]]
    from = "523400"
    to = "523499"
"#;

/// A stack that has what `enrollctl` touches, and a folder with a client file.
struct Scene {
    endpoint: String,
    aws: Aws,
    stack: String,
    folder: PathBuf,
}

impl Scene {
    async fn new() -> Self {
        let endpoint = std::env::var("TEST_AWS_ENDPOINT")
            .expect("TEST_AWS_ENDPOINT is not set; 'cargo xtask test --only storage' sets it");
        let stack = random_name("test-stack");
        let aws = Aws::from_variables(|name| {
            // Every service is at the one address.
            (!name.starts_with("AWS_ENDPOINT_URL_")).then(|| variable(&endpoint, name))
        })
        .unwrap();
        let folder = std::env::temp_dir().join(&stack);
        fs::create_dir(&folder).unwrap();
        let scene = Self {
            endpoint,
            aws,
            stack,
            folder,
        };
        scene.create_stack().await;
        scene.write("public-key.pem", PUBLIC_KEY.as_bytes());
        scene.write("logo.png", &logo());
        scene.write("client.toml", CLIENT_FILE.as_bytes());
        scene
    }

    async fn create_table(&self, name: &str, keys: &[(&str, KeyType)]) {
        let mut create = self
            .aws
            .dynamodb()
            .create_table()
            .table_name(name)
            .billing_mode(BillingMode::PayPerRequest);
        for (attribute, kind) in keys {
            let definition = AttributeDefinition::builder()
                .attribute_name(*attribute)
                .attribute_type(ScalarAttributeType::S);
            let key = KeySchemaElement::builder()
                .attribute_name(*attribute)
                .key_type(kind.clone());
            create = create
                .attribute_definitions(definition.build().unwrap())
                .key_schema(key.build().unwrap());
        }
        create.send().await.unwrap();
    }

    /// Table of the audit trails.
    fn trails(&self) -> String {
        format!("{}-enrollments", self.stack)
    }

    async fn create_stack(&self) {
        self.create_table(&self.stack, &[("pk", KeyType::Hash)]).await;
        self.create_table(&self.trails(), &[("pk", KeyType::Hash), ("sk", KeyType::Range)])
            .await;
        let in_europe = CreateBucketConfiguration::builder()
            .location_constraint(BucketLocationConstraint::EuCentral1)
            .build();
        self.aws
            .s3()
            .create_bucket()
            .bucket(&self.stack)
            .create_bucket_configuration(in_europe)
            .send()
            .await
            .unwrap();
        let unused = "unused";
        let settings = serde_json::json!({
            "STACK_NAME": self.stack, "PUBLIC_BASE_URL": "http://localhost:1", "CLIENTS_TABLE": self.stack,
            "SESSIONS_TABLE": unused, "ENROLLMENTS_TABLE": self.trails(), "CONFIRMATIONS_TABLE": unused,
            "LIMITS_TABLE": unused, "KEYS_TABLE": unused, "BATCHES_TABLE": unused, "DIGITAL_CARDS_TABLE": unused, "KMS_KEY_ID": unused, "PICTURES_BUCKET": self.stack,
            "POINT_IN_TIME_RECOVERY_DAYS": "7", "CARD_KEY_FINGERPRINTS": FINGERPRINT.trim(), "SETTLE_QUEUE_URL": unused, "CONFIRM_QUEUE_URL": unused, "MRS_BASE_URL": "https://mrs.invalid/MRS",
            "SECRETS_PREFIX": format!("card-enrollment/{}", self.stack),
        });
        let name = self.secret_name("settings");
        let create = self
            .aws
            .secrets_manager()
            .create_secret()
            .name(name)
            .secret_string(settings.to_string());
        create.send().await.unwrap();
    }

    fn secret_name(&self, name: &str) -> String {
        format!("card-enrollment/{}/{name}", self.stack)
    }

    async fn secret(&self, name: &str) -> serde_json::Value {
        let get = self
            .aws
            .secrets_manager()
            .get_secret_value()
            .secret_id(self.secret_name(name));
        serde_json::from_str(get.send().await.unwrap().secret_string().unwrap()).unwrap()
    }

    fn write(&self, name: &str, content: &[u8]) {
        fs::write(self.folder.join(name), content).unwrap();
    }

    /// The actions of an audit trail, the oldest first, each with its reference.
    fn actions(&self, of: &[&str]) -> Vec<(String, String)> {
        let (done, said, errors) = self.enrollctl(&[&["audit"], of].concat());
        assert!(done, "{errors}");
        let lines = said.lines().map(|line| serde_json::from_str(line).unwrap());
        lines
            .map(|line: serde_json::Value| {
                assert!(
                    line["at"].is_string() && line["by"].as_str().unwrap().starts_with("arn:"),
                    "{line}"
                );
                let text = |member: &str| line[member].as_str().unwrap().to_owned();
                (text("action"), text("reference"))
            })
            .collect()
    }

    /// Success, standard output, standard error.
    fn enrollctl(&self, arguments: &[&str]) -> (bool, String, String) {
        self.enrollctl_on(&self.stack, arguments)
    }

    fn enrollctl_on(&self, stack: &str, arguments: &[&str]) -> (bool, String, String) {
        let (code, said, errors) = self.code_of(stack, arguments);
        (code == 0, said, errors)
    }

    /// `client diff`: exit code, standard output.
    fn diff(&self) -> (i32, String) {
        let (code, said, _) = self.code_of(&self.stack, &["client", "diff", "client.toml"]);
        (code, said)
    }

    async fn item(&self, pk: &str) -> HashMap<String, AttributeValue> {
        let get = self.aws.dynamodb().get_item().table_name(&self.stack);
        let answer = get.key("pk", AttributeValue::S(pk.into())).send().await.unwrap();
        answer.item.unwrap_or_default()
    }

    fn code_of(&self, stack: &str, arguments: &[&str]) -> (i32, String, String) {
        let Output {
            status,
            stdout,
            stderr,
        } = Command::new(env!("CARGO_BIN_EXE_enrollctl"))
            .args(["--stack", stack])
            .args(arguments)
            .args(reason(arguments))
            .current_dir(&self.folder)
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code().unwrap(), text(stdout), text(stderr))
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // A folder that stays behind harms nobody.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn variable(endpoint: &str, name: &str) -> String {
    match name {
        "AWS_ENDPOINT_URL" => endpoint.to_owned(),
        "AWS_REGION" => "eu-central-1".to_owned(),
        _ => "test".to_owned(),
    }
}

fn random_name(start: &str) -> String {
    let mut bytes = [0; 8];
    SystemRandomness.fill(&mut bytes);
    format!("{start}-{}", hex::encode(bytes))
}

fn logo() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 420, 180);
    encoder.set_color(png::ColorType::Rgba);
    encoder
        .write_header()
        .unwrap()
        .write_image_data(&vec![0; 420 * 180 * 4])
        .unwrap();
    bytes
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_client_file_is_applied_shown_and_applied_again() {
    let scene = Scene::new().await;
    let (done, _, errors) = scene.enrollctl(&["client", "apply", "client.toml"]);
    assert!(!done && errors.contains("--yes"), "{errors}");

    let (done, said, errors) = scene.enrollctl(&["client", "apply", "client.toml", "--yes"]);
    assert!(done, "{errors}");
    assert!(said.contains("+  \"name\": \"Demo Bank\","), "{said}");
    assert!(
        said.contains(FINGERPRINT.trim()) && !said.contains("BEGIN PUBLIC KEY"),
        "{said}"
    );
    assert!(said.contains("client 'demo': created"), "{said}");
    assert!(
        said.contains(&scene.secret_name("clients/demo/confirmation")),
        "{said}"
    );
    let secret = scene.secret("clients/demo/confirmation").await["secrets"][0]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(secret.starts_with("whsec_") && !said.contains(&secret));
    let pictures = scene
        .aws
        .s3()
        .list_objects_v2()
        .bucket(&scene.stack)
        .send()
        .await
        .unwrap();
    // The logo, two narrower ones, and the icon that is made of it.
    assert_eq!(pictures.contents().len(), 4);

    let (done, said, _) = scene.enrollctl(&["client", "apply", "client.toml", "--yes"]);
    assert!(done);
    assert_eq!(said, "client 'demo': nothing to change\n");

    scene.write(
        "client.toml",
        CLIENT_FILE.replace("Demo Bank", "Demo & Sons").as_bytes(),
    );
    let (done, said, _) = scene.enrollctl(&["client", "apply", "client.toml", "--yes"]);
    assert!(
        done && said.contains("-  \"name\": \"Demo Bank\",\n+  \"name\": \"Demo & Sons\",\n"),
        "{said}"
    );
    assert_eq!(
        scene.secret("clients/demo/confirmation").await["secrets"][0],
        secret
    );

    let (_, said, _) = scene.enrollctl(&["client", "show", "demo"]);
    assert!(
        said.starts_with("demo: Demo & Sons\n  status    active\n"),
        "{said}"
    );
    let (_, said, _) = scene.enrollctl(&["client", "show", "demo", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(shown["programs"][0]["retention_days"], 30);
    let (done, _, errors) = scene.enrollctl(&["client", "show", "nobody"]);
    assert_eq!(
        (done, errors.as_str()),
        (false, "enrollctl: client 'nobody' does not exist\n")
    );
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn diff_shows_changes_and_makes_none() {
    let scene = Scene::new().await;
    let (code, said) = scene.diff();
    assert_eq!(code, 1);
    assert!(said.contains("+  \"name\": \"Demo Bank\","), "{said}");
    let (done, _, errors) = scene.enrollctl(&["client", "show", "demo"]);
    assert!(
        !done && errors.contains("client 'demo' does not exist"),
        "{errors}"
    );

    assert!(scene.enrollctl(&["client", "apply", "client.toml", "--yes"]).0);
    assert_eq!(scene.diff(), (0, String::new()));
    let stored = scene.item("client#demo").await;

    let changed = CLIENT_FILE.replace(
        "bank_product_code = \"MRSDEMO\"",
        "bank_product_code = \"MRSDEMO\"\nretention_days = 14\nopt_out = true",
    );
    scene.write("client.toml", changed.as_bytes());
    let (code, said) = scene.diff();
    assert_eq!(code, 1);
    assert!(
        said.contains("program 10765: cancelled cards, earlier ones included, are deleted after 14 days"),
        "{said}"
    );
    assert!(
        said.contains("-      \"retention_days\": 30\n+      \"retention_days\": 14\n"),
        "{said}"
    );
    assert_eq!(scene.item("client#demo").await, stored);

    scene.write("client.toml", changed.replace("1234", "0").as_bytes());
    assert_eq!(scene.diff().0, 2);
    let (code, _, errors) = scene.code_of("nowhere", &["client", "diff", "client.toml"]);
    assert_eq!(code, 2, "{errors}");
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn suspension_works_without_the_file() {
    let scene = Scene::new().await;
    let (done, _, errors) = scene.enrollctl(&["client", "suspend", "demo"]);
    assert_eq!(
        (done, errors.as_str()),
        (false, "enrollctl: client 'demo' does not exist\n")
    );
    assert!(scene.enrollctl(&["client", "apply", "client.toml", "--yes"]).0);

    let (done, said, errors) = scene.enrollctl(&["client", "suspend", "demo"]);
    assert!(done, "{errors}");
    assert!(said.contains("status = \"suspended\""), "{said}");
    let (done, said, _) = scene.enrollctl(&["client", "suspend", "demo"]);
    assert!(done);
    assert_eq!(said, "client 'demo' is already suspended\n");
    let (_, said, _) = scene.enrollctl(&["client", "show", "demo"]);
    assert!(said.contains("status    suspended"), "{said}");

    let (code, said) = scene.diff();
    assert_eq!(code, 1);
    assert!(said.starts_with("the suspension is lifted"), "{said}");
    let says_so = format!("status = \"suspended\"\n{CLIENT_FILE}");
    scene.write("client.toml", says_so.as_bytes());
    assert_eq!(scene.diff().0, 0);

    assert!(scene.enrollctl(&["client", "suspend", "demo", "--lift"]).0);
    let (_, said, _) = scene.enrollctl(&["client", "show", "demo"]);
    assert!(said.contains("status    active"), "{said}");
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn dropped_program_retires_and_is_no_difference() {
    let scene = Scene::new().await;
    let second = "\n[[programs]]\nid = \"10766\"\nmember_ica = 1234\nbank_product_code = \"MRSDEMO\"\n\
                  retention_days = 7\nbin_ranges = [{ from = \"541234\", to = \"541234\" }]\n";
    scene.write("client.toml", [CLIENT_FILE, second].concat().as_bytes());
    assert!(scene.enrollctl(&["client", "apply", "client.toml", "--yes"]).0);
    scene.write("client.toml", CLIENT_FILE.as_bytes());
    let (_, said, _) = scene.enrollctl(&["client", "apply", "client.toml", "--yes"]);
    assert!(
        said.contains("program 10766 is removed") && !said.contains("retired"),
        "{said}"
    );
    assert_eq!(scene.diff(), (0, String::new()));
    let (_, said, _) = scene.enrollctl(&["client", "apply", "client.toml", "--yes"]);
    assert_eq!(said, "client 'demo': nothing to change\n");
    let (_, said, _) = scene.enrollctl(&["client", "show", "demo"]);
    assert!(
        said.contains("retired   10766: cancelled cards are kept 7 days"),
        "{said}"
    );
    assert!(scene.enrollctl(&["client", "suspend", "demo"]).0);
    let (_, said, _) = scene.enrollctl(&["client", "show", "demo"]);
    assert!(
        said.contains("retired   10766: cancelled cards are kept 7 days"),
        "{said}"
    );
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn apply_adds_client_missing_in_index() {
    let scene = Scene::new().await;
    assert!(scene.enrollctl(&["client", "apply", "client.toml", "--yes"]).0);
    let entered = AttributeValue::Ss(vec!["demo".into()]);
    assert_eq!(scene.item("clients").await["ids"], entered);
    let (stored, delete) = (
        scene.item("client#demo").await,
        scene.aws.dynamodb().delete_item().table_name(&scene.stack),
    );
    let delete = delete.key("pk", AttributeValue::S("clients".into()));
    delete.send().await.unwrap();
    let (_, said, _) = scene.enrollctl(&["client", "apply", "client.toml", "--yes"]);
    assert_eq!(said, "client 'demo': nothing to change\n");
    assert_eq!(scene.item("clients").await["ids"], entered);
    assert_eq!(scene.item("client#demo").await, stored);
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn new_client_file_can_be_applied_as_it_is() {
    let scene = Scene::new().await;
    let (done, said, errors) =
        scene.enrollctl(&["client", "new", "bank", "--name", "My Bank", "--dir", "bank"]);
    assert!(done && said.contains("Next:"), "{errors}");
    let (done, said, errors) = scene.enrollctl(&["client", "apply", "bank/client.toml", "--yes"]);
    assert!(done && said.contains("client 'bank': created"), "{errors}");
    let (done, _, errors) = scene.enrollctl(&["client", "new", "bank"]);
    assert!(
        !done && errors.contains("already exists; nothing was written"),
        "{errors}"
    );
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn faults_are_reported_and_change_nothing() {
    let scene = Scene::new().await;
    let other = CLIENT_FILE.replace("id = \"demo\"", "id = \"other\"");
    assert!(scene.enrollctl(&["client", "apply", "client.toml", "--yes"]).0);
    scene.write("client.toml", other.as_bytes());
    let (done, _, errors) = scene.enrollctl(&["client", "apply", "client.toml", "--yes"]);
    assert!(
        !done && errors.contains("the slug 'demo' is taken by another client"),
        "{errors}"
    );

    scene.write(
        "client.toml",
        other.replace("523499", "52349").replace("1234", "0").as_bytes(),
    );
    let (done, _, errors) = scene.enrollctl(&["client", "apply", "client.toml", "--yes"]);
    assert!(!done && errors.contains("has 2 faults"), "{errors}");
    assert!(
        errors.contains("programs[0].member_ica: must be 1 to 999999"),
        "{errors}"
    );

    let short = CLIENT_FILE.replace("member_ica", "retention_days = 6\n    member_ica");
    scene.write("client.toml", short.as_bytes());
    let (done, _, errors) = scene.enrollctl(&["client", "apply", "client.toml", "--yes"]);
    assert!(
        !done
            && errors.contains("retention_days is 6, but tables of this stack can be restored to 7 days ago"),
        "{errors}"
    );
    assert!(
        scene.diff().0 > 1,
        "a file that would be refused is no difference"
    );
    let (_, shown, _) = scene.enrollctl(&["client", "show", "demo", "--json"]);
    assert!(shown.contains("\"retention_days\": 30"), "{shown}");

    let (done, _, errors) = scene.enrollctl_on("nowhere", &["client", "show", "demo"]);
    assert!(
        !done && errors.contains("there is no stack 'nowhere'"),
        "{errors}"
    );
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn what_mastercard_gave_is_checked_and_stored() {
    let scene = Scene::new().await;
    let key = [
        "mastercard",
        "encryption-key",
        "--key-reference",
        "119009",
        "--public-key",
        "public-key.pem",
    ];
    let (done, said, errors) = scene.enrollctl(&key);
    assert!(done && said.contains(FINGERPRINT.trim()), "{errors}");
    assert_eq!(
        scene.secret("mastercard/encryption").await["fingerprint"],
        FINGERPRINT.trim()
    );
    let (done, _, errors) = scene.enrollctl(&[&key[..], &["--fingerprint", "00"]].concat());
    assert!(!done && errors.contains("fingerprint"), "{errors}");

    let identity = rcgen::generate_simple_self_signed(["client".to_owned()]).unwrap();
    scene.write("client.pem", identity.cert.pem().as_bytes());
    scene.write("client.key.pem", identity.signing_key.serialize_pem().as_bytes());
    let mtls = [
        "mastercard",
        "mtls",
        "--certificate",
        "client.pem",
        "--key",
        "client.key.pem",
    ];
    let (done, said, errors) = scene.enrollctl(&mtls);
    assert!(done && said.contains("it expires on"), "{errors}");
    assert!(!said.contains("PRIVATE KEY"), "{said}");
    let stored = scene.secret("mastercard/mtls").await;
    assert!(stored["privateKey"].as_str().unwrap().contains("PRIVATE KEY"));
}

/// Adds a reference to commands that need one and have none.
fn reason<'a>(arguments: &[&str]) -> &'a [&'a str] {
    const CHANGING: [&str; 7] = [
        "apply",
        "suspend",
        "mtls",
        "encryption-key",
        "rotate",
        "retire",
        "trust",
    ];
    let changes = arguments.iter().any(|word| CHANGING.contains(word));
    if changes && !arguments.contains(&"--reference") {
        &["--reference", "REQ-0"]
    } else {
        &[]
    }
}

/// All that changes trust or keys, with what makes it work on a fresh scene, in an order in which it does.
fn changing() -> [(&'static str, Vec<&'static str>); 9] {
    let words = |line: &'static str| line.split(' ').collect();
    [
        ("apply client", words("client apply client.toml --yes")),
        ("suspend client", words("client suspend demo")),
        ("lift suspension", words("client suspend demo --lift")),
        ("rotate keys", words("confirmations keys rotate --client demo")),
        ("retire keys", words("confirmations keys retire --client demo")),
        (
            "trust receivers",
            words("confirmations trust --client demo --authorities client.pem"),
        ),
        (
            "trust receivers",
            words("confirmations trust --client demo --public"),
        ),
        (
            "store client certificate",
            words("mastercard mtls --certificate client.pem --key client.key.pem"),
        ),
        (
            "store encryption key",
            words("mastercard encryption-key --key-reference 119009 --public-key public-key.pem"),
        ),
    ]
}

fn write_identity(scene: &Scene) {
    let identity = rcgen::generate_simple_self_signed(["client".to_owned()]).unwrap();
    scene.write("client.pem", identity.cert.pem().as_bytes());
    scene.write("client.key.pem", identity.signing_key.serialize_pem().as_bytes());
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn change_of_trust_or_keys_leaves_its_line() {
    let scene = Scene::new().await;
    write_identity(&scene);
    let (mut of_client, mut of_stack) = (Vec::new(), Vec::new());
    for (number, (action, command)) in changing().into_iter().enumerate() {
        let reference = format!("REQ-{number}");
        let (done, _, errors) = scene.enrollctl(&[&command[..], &["--reference", &reference]].concat());
        assert!(done, "{command:?}: {errors}");
        let lines = if command[0] == "mastercard" {
            &mut of_stack
        } else {
            &mut of_client
        };
        lines.push((action.to_owned(), reference));
        assert_eq!(scene.actions(&["--client", "demo"]), of_client, "{command:?}");
        assert_eq!(scene.actions(&[]), of_stack, "{command:?}");
    }
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn nothing_changes_where_the_trail_cannot_be_written() {
    let scene = Scene::new().await;
    write_identity(&scene);
    let (done, _, errors) = scene.enrollctl(&["client", "apply", "client.toml", "--yes"]);
    assert!(done, "{errors}");
    let (done, _, errors) = scene.enrollctl(&["confirmations", "keys", "rotate", "--client", "demo"]);
    assert!(done, "{errors}");
    let before = (
        scene.item("client#demo").await,
        scene.secret("clients/demo/confirmation").await,
    );
    let delete = scene.aws.dynamodb().delete_table().table_name(scene.trails());
    delete.send().await.unwrap();
    scene.write(
        "client.toml",
        CLIENT_FILE.replace("Demo Bank", "Another").as_bytes(),
    );
    for (action, command) in changing() {
        if action == "lift suspension" {
            continue;
        }
        let (done, said, errors) = scene.enrollctl(&command);
        let at_the_trail = errors.contains("adding to the audit trail failed");
        // The rotation is still open, so a further one is refused before that.
        assert!(
            !done && (at_the_trail || action == "rotate keys"),
            "{command:?}: {errors}"
        );
        assert!(!said.contains("whsec_"), "{said}");
    }
    let after = (
        scene.item("client#demo").await,
        scene.secret("clients/demo/confirmation").await,
    );
    assert_eq!(before, after);
    let get = |name: &str| {
        let manager = scene.aws.secrets_manager();
        manager
            .get_secret_value()
            .secret_id(scene.secret_name(name))
            .send()
    };
    for name in ["mastercard/mtls", "mastercard/encryption"] {
        assert!(get(name).await.is_err(), "{name} was stored");
    }
}
