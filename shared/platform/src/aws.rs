//! SDK clients, with one HTTPS client for all of them, and the credentials of the environment.

mod http_client;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, SharedCredentialsProvider};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_types::SdkConfig;
use aws_types::app_name::AppName;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use enrollment::log::LogText;
use std::time::Duration;

/// Makes SDK clients. Making one needs no network.
#[derive(Debug, Clone)]
pub struct Aws {
    config: SdkConfig,
}

/// Missing environment variable, without which AWS can't be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} is not set: Lambda sets it, and 'cargo xtask watch' does locally")]
pub struct MissingVariableError(&'static str);

impl Aws {
    /// Reads region and credentials from environment variables, as Lambda sets them. Unlike the SDK's default chain it
    /// tries neither files nor the instance's metadata address. `AWS_ENDPOINT_URL` is the address of a local AWS;
    /// `AWS_ENDPOINT_URL_DYNAMODB` and `AWS_ENDPOINT_URL_SQS` redirect one service.
    pub fn from_environment() -> Result<Self, MissingVariableError> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// As [`Self::from_environment`], from any source of variables.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, MissingVariableError> {
        let variable = |name: &'static str| variable(name).filter(|value| !value.is_empty());
        let required = |name| variable(name).ok_or(MissingVariableError(name));
        let region = variable("AWS_REGION").map_or_else(|| required("AWS_DEFAULT_REGION"), Ok);
        let credentials = Credentials::new(
            required("AWS_ACCESS_KEY_ID")?,
            required("AWS_SECRET_ACCESS_KEY")?,
            variable("AWS_SESSION_TOKEN"),
            None,
            "environment",
        );
        let endpoint = variable("AWS_ENDPOINT_URL");
        let mut config = SdkConfig::builder()
            .region(Region::new(
                region.map_err(|_| MissingVariableError("AWS_REGION"))?,
            ))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .behavior_version(behavior())
            .http_client(http_client::shared(endpoint.as_deref()))
            .retry_config(retries())
            .timeout_config(timeouts());
        config.set_endpoint_url(endpoint);
        config.set_app_name(variable("AWS_LAMBDA_FUNCTION_NAME").and_then(|name| application(&name)));
        let endpoints = SERVICES.map(|(service, name)| Some((service, variable(name)?)));
        let endpoints = ServiceEndpoints(endpoints.into_iter().flatten().collect());
        Ok(Self {
            config: config.service_config(endpoints).build(),
        })
    }

    /// Region and credentials of an operator: environment, profiles, single sign-on.
    #[cfg(feature = "operator")]
    pub async fn of_operator() -> Self {
        let endpoint = std::env::var("AWS_ENDPOINT_URL")
            .ok()
            .filter(|value| !value.is_empty());
        let config = aws_config::defaults(behavior())
            .http_client(http_client::shared(endpoint.as_deref()))
            .retry_config(retries())
            .timeout_config(timeouts())
            .load()
            .await;
        Self { config }
    }

    /// `DynamoDB`.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config)
    }

    /// KMS.
    pub fn kms(&self) -> aws_sdk_kms::Client {
        aws_sdk_kms::Client::new(&self.config)
    }

    /// Secrets Manager.
    pub fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.config)
    }

    /// SQS.
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }

    /// STS.
    #[cfg(feature = "operator")]
    pub fn sts(&self) -> aws_sdk_sts::Client {
        aws_sdk_sts::Client::new(&self.config)
    }

    /// S3. A local AWS has no host name for each bucket: the bucket goes into the path there.
    #[cfg(feature = "s3")]
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let local = self.config.endpoint_url().is_some();
        let config = aws_sdk_s3::config::Builder::from(&self.config)
            .force_path_style(local)
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }
}

/// Services that may have an address of their own, and its variable (AWS SDKs and Tools Reference Guide,
/// "Service-specific endpoints").
const SERVICES: [(&str, &str); 2] = [
    ("DynamoDB", "AWS_ENDPOINT_URL_DYNAMODB"),
    ("SQS", "AWS_ENDPOINT_URL_SQS"),
];

/// Addresses by the SDK's name of the service.
#[derive(Debug)]
struct ServiceEndpoints(Vec<(&'static str, String)>);

impl LoadServiceConfig for ServiceEndpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let wanted = |(service, _): &&(&str, String)| *service == key.service_id();
        let (_, endpoint) = self.0.iter().find(wanted)?;
        (key.env() == "AWS_ENDPOINT_URL").then(|| endpoint.clone())
    }
}

/// Name of the function for the user agent of its calls. `CloudTrail` and the tests of the roles identify functions by
/// it. The SDK advises at most 50 characters: a longer name loses its start, which is the stack's name.
fn application(function: &str) -> Option<AppName> {
    let start = function.len().saturating_sub(50);
    AppName::new(function.get(start..)?.to_owned()).ok()
}

/// Pinned, so that an SDK update does not change behavior unnoticed.
fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// Retries of throttled calls and broken connections, within well under a second: a function has 25 s in all.
fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(4)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_millis(400))
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(http_client::CONNECT_TIMEOUT)
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(7))
        .build()
}

/// AWS error codes that are logged as they are. Others are logged by their length only, since code and message of an
/// error may quote the request.
const CODES: [&str; 40] = [
    "AccessDenied",
    "AccessDeniedException",
    "ConditionalCheckFailedException",
    "DecryptionFailure",
    "DisabledException",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InternalFailure",
    "InternalServerError",
    "InternalServiceError",
    "InvalidCiphertextException",
    "InvalidClientTokenId",
    "InvalidParameterException",
    "InvalidRequestException",
    "InvalidSignatureException",
    "ItemCollectionSizeLimitExceededException",
    "KMSInternalException",
    "KMSInvalidStateException",
    "KeyUnavailableException",
    "LimitExceededException",
    "MissingAuthenticationToken",
    "NoSuchBucket",
    "NoSuchKey",
    "NotFoundException",
    "ProvisionedThroughputExceededException",
    "QueueDoesNotExist",
    "RequestLimitExceeded",
    "RequestThrottled",
    "ResourceExistsException",
    "ResourceNotFoundException",
    "ServiceUnavailable",
    "SignatureDoesNotMatch",
    "SlowDown",
    "ThrottlingException",
    "TransactionCanceledException",
    "TransactionConflictException",
    "TransactionInProgressException",
    "UnrecognizedClientException",
    "ValidationException",
];

/// Describes an SDK error in closed words: stage, AWS's error code, HTTP status.
pub(crate) fn describe<E: ProvideErrorMetadata>(error: &SdkError<E>) -> LogText {
    match error {
        SdkError::ConstructionFailure(_) => "the request could not be made".into(),
        SdkError::TimeoutError(_) => "no answer in time".into(),
        SdkError::DispatchFailure(failure) => dispatch(failure.as_connector_error()),
        SdkError::ResponseError(answer) => {
            LogText::from("an answer that can't be read, HTTP status").with(answer.raw().status().as_u16())
        }
        SdkError::ServiceError(refused) => {
            let code = refused.err().code().map_or("no code".into(), service_code);
            code.with("with HTTP status")
                .with(refused.raw().status().as_u16())
        }
        _ => "an error of a new kind".into(),
    }
}

/// Returns a known error code of AWS as it is, and any other in its closed form.
pub(crate) fn service_code(code: &str) -> LogText {
    CODES
        .into_iter()
        .find(|known| *known == code)
        .map_or_else(|| LogText::foreign_code(code), LogText::from)
}

fn dispatch(failure: Option<&ConnectorError>) -> LogText {
    let Some(failure) = failure else {
        return "the request could not be sent".into();
    };
    if failure.is_timeout() {
        return "no connection in time".into();
    }
    if failure.is_io() {
        return "the connection failed".into();
    }
    let mut cause: Option<&dyn std::error::Error> = Some(failure);
    while let Some(error) = cause {
        if error.is::<CredentialsError>() {
            return "no credentials could be had".into();
        }
        cause = error.source();
    }
    "the request could not be sent".into()
}

/// Returns the answer of a conditional write, or `None` where its condition failed. Any other error is described in
/// closed words.
pub(crate) fn where_it_held<T, E: ProvideErrorMetadata>(
    result: Result<T, SdkError<E>>,
) -> Result<Option<T>, LogText> {
    match result {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(None),
        Err(error) => Err(describe(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_may_have_its_own_address() {
        let variable = |name: &str| match name {
            "AWS_ENDPOINT_URL_S3" | "AWS_ENDPOINT_URL_SQS" => None,
            "AWS_ENDPOINT_URL_DYNAMODB" => Some("http://127.0.0.1:2".to_owned()),
            _ => Some("http://127.0.0.1:1".to_owned()),
        };
        let aws = Aws::from_variables(variable).unwrap();
        let endpoints = aws.config.service_config().unwrap();
        let of = |service: &'static str| {
            let key = ServiceConfigKey::builder()
                .service_id(service)
                .env("AWS_ENDPOINT_URL")
                .profile("endpoint_url")
                .build()
                .unwrap();
            endpoints.load_config(key)
        };
        assert_eq!(of("DynamoDB").as_deref(), Some("http://127.0.0.1:2"));
        assert_eq!(of("SQS"), None);
        assert_eq!(of("KMS"), None);
    }

    #[test]
    fn missing_variable_is_named() {
        let set = |missing: &'static str| move |name: &str| (name != missing).then(|| "value".to_owned());
        let error = Aws::from_variables(set("AWS_SECRET_ACCESS_KEY")).unwrap_err();
        assert_eq!(error, MissingVariableError("AWS_SECRET_ACCESS_KEY"));
        assert!(Aws::from_variables(set("AWS_ENDPOINT_URL")).is_ok());
        assert_eq!(
            Aws::from_variables(|_| None).unwrap_err(),
            MissingVariableError("AWS_ACCESS_KEY_ID")
        );
    }
}
