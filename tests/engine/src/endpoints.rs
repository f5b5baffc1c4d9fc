//! Addresses of the engines and of the local AWS.

use enrollment::randomness::Randomness as _;
use platform::SystemRandomness;
use platform::aws::Aws;
use platform::vault::KmsKeyWrapper;

/// The engines that `TEST_DYNAMODB_ENDPOINTS` names, each with its address.
pub fn engines() -> Vec<(String, String)> {
    let named = std::env::var("TEST_DYNAMODB_ENDPOINTS").unwrap_or_default();
    let engines: Vec<_> = named
        .split(',')
        .filter_map(|engine| engine.split_once('='))
        .map(|(name, endpoint)| (name.to_owned(), endpoint.to_owned()))
        .collect();
    assert!(
        !engines.is_empty(),
        "TEST_DYNAMODB_ENDPOINTS names no engine (name=http://…,name=http://…); 'cargo xtask test --only storage' sets it"
    );
    engines
}

/// The SDK clients of the local AWS.
pub fn local_aws() -> Aws {
    let endpoint = std::env::var("TEST_AWS_ENDPOINT").expect(
        "TEST_AWS_ENDPOINT is not set (where KMS and Secrets Manager answer); 'cargo xtask test --only storage' sets it",
    );
    aws_at(&endpoint)
}

/// A new key in the KMS of the local AWS.
pub async fn local_kms() -> KmsKeyWrapper {
    let kms = local_aws().kms();
    let created = kms.create_key().send().await.unwrap();
    KmsKeyWrapper::new(kms, created.key_metadata.unwrap().key_id)
}

/// A name that no other test has.
pub fn random_name(start: &str) -> String {
    let mut bytes = [0; 8];
    SystemRandomness.fill(&mut bytes);
    bytes
        .iter()
        .fold(format!("{start}-"), |name, byte| name + &format!("{byte:02x}"))
}

pub(crate) fn aws_at(endpoint: &str) -> Aws {
    let variable = |name: &str| {
        Some(match name {
            "AWS_ENDPOINT_URL" => endpoint.to_owned(),
            "AWS_REGION" => "eu-central-1".to_owned(),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "test".to_owned(),
            _ => return None,
        })
    };
    Aws::from_variables(variable).unwrap()
}
