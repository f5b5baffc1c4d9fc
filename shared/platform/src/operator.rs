//! Access of the operator's tool to a stack: finds its settings, writes secrets and set-ups.

mod secret_policy;
pub mod secret_version;

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_secretsmanager::Client as SecretsManager;
use aws_sdk_secretsmanager::operation::create_secret::CreateSecretError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use enrollment::client::Client;
use enrollment::clock::Clock;
use enrollment::identifiers::ClientId;
use enrollment::ports::StoreError;
use secrecy::{ExposeSecret as _, SecretString};

pub use self::secret_policy::SecretReaders;
use self::secret_version::SecretReplacement;
use crate::adapters::Adapters;
use crate::aws::{Aws, describe};
use crate::clock::SystemClock;
use crate::metrics::Metrics;
use crate::public_base_url::PublicBaseUrl;
use crate::randomness::SystemRandomness;
use crate::secrets::{ENCRYPTION, ISSUER, MTLS};
use crate::settings::{SettingsError, StackSettings, public_base_url};
use crate::tables::audit::{AuditTrail, Permit};
use crate::tables::client_setups::{ClientSetups, SetupWrite, StoredClient};

/// Deployed stack, with the operator's rights.
pub struct Stack {
    /// Settings of the stack.
    pub settings: StackSettings,
    /// Public address of the API, without a trailing slash.
    pub public_base_url: PublicBaseUrl,
    /// Adapters of the stack, without metrics.
    pub adapters: Adapters,
    readers: SecretReaders,
    aws: Aws,
}

/// Reason for which a stack can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// No stack has this name.
    #[error("there is no stack '{0}' in this account and region: the secret '{1}' does not exist")]
    Unknown(String, String),
    /// AWS could not be reached, or refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Settings that this release needs are missing or wrong.
    #[error("the secret '{0}': {1}")]
    Settings(String, SettingsError),
    /// The settings are not a JSON object of strings.
    #[error("the secret '{0}' must be a JSON object of strings")]
    Shape(String),
}

/// Result of writing a secret that is written once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretCreation {
    /// The secret was created.
    Created,
    /// The secret existed before and was not changed.
    AlreadyExists,
}

impl Stack {
    /// Finds a stack by its settings in `card-enrollment/{name}/settings`.
    pub async fn find(name: &str) -> Result<Self, StackError> {
        let aws = Aws::of_operator().await;
        let secret = format!("card-enrollment/{name}/settings");
        let answer = aws
            .secrets_manager()
            .get_secret_value()
            .secret_id(&secret)
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetSecretValueError::is_resource_not_found_exception) =>
            {
                return Err(StackError::Unknown(name.to_owned(), secret));
            }
            Err(error) => {
                let detail = describe(&error);
                return Err(StoreError::unavailable("reading the stack's settings", detail).into());
            }
        };
        let values: HashMap<String, String> =
            serde_json::from_str(answer.secret_string().unwrap_or_default())
                .map_err(|_| StackError::Shape(secret.clone()))?;
        let variable = |name: &str| values.get(name).cloned();
        let (settings, public_base_url) = StackSettings::read(variable)
            .and_then(|settings| Ok((settings, public_base_url(variable)?)))
            .map_err(|error| StackError::Settings(secret, error))?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let metrics = Metrics::disabled(Arc::clone(&clock));
        let randomness = Arc::new(SystemRandomness);
        Ok(Self {
            adapters: Adapters::new(aws.clone(), settings.clone(), metrics, clock, randomness),
            settings,
            public_base_url,
            readers: readers(&values),
            aws,
        })
    }

    /// Reads a client's set-up.
    pub async fn client(&self, id: &ClientId) -> Result<Option<StoredClient>, StoreError> {
        self.client_setups().find(id).await
    }

    /// Adds a client to the index of all clients. A repeated call changes nothing.
    pub async fn register_client(&self, id: &ClientId) -> Result<(), StoreError> {
        self.client_setups().register(id).await
    }

    /// Stores a set-up in place of the one that was read.
    pub async fn store_client(
        &self,
        _: &Permit,
        client: &Client,
        before: Option<&StoredClient>,
    ) -> Result<SetupWrite, StoreError> {
        self.client_setups().store(client, before).await
    }

    /// Set-ups of clients. A write needs a permit.
    fn client_setups(&self) -> ClientSetups<'static> {
        ClientSetups {
            dynamodb: self.adapters.dynamodb(),
            table: self.settings.tables.clients.clone(),
            randomness: &SystemRandomness,
            clock: &SystemClock,
        }
    }

    /// Audit trail: accesses to personal data, and changes.
    pub fn audit_trail(&self) -> AuditTrail {
        AuditTrail::new(self.adapters.dynamodb(), &self.settings.tables.enrollments)
    }

    /// ARN of the caller's identity.
    pub async fn caller(&self) -> Result<String, StoreError> {
        const OPERATION: &str = "reading the caller's identity";
        let answer = self.aws.sts().get_caller_identity().send().await;
        let answer = answer.map_err(|error| StoreError::unavailable(OPERATION, describe(&error)))?;
        answer
            .arn
            .ok_or(StoreError::unavailable(OPERATION, "the answer has no ARN"))
    }

    /// Full name of a secret of this stack.
    pub fn secret_name(&self, name: &str) -> String {
        format!("{}/{name}", self.settings.secrets_prefix)
    }

    /// Creates a secret unless one of that name exists.
    pub async fn create_secret(
        &self,
        _: &Permit,
        name: &str,
        value: &SecretString,
    ) -> Result<SecretCreation, StoreError> {
        let full_name = self.secret_name(name);
        let created = create(&self.aws.secrets_manager(), &full_name, value).await?;
        self.restrict(name, &full_name).await?;
        Ok(created)
    }

    /// Replaces a secret's value if `read_version` is still the current version.
    pub async fn replace_secret(
        &self,
        _: &Permit,
        name: &str,
        value: &SecretString,
        read_version: &str,
    ) -> Result<SecretReplacement, StoreError> {
        let full_name = self.secret_name(name);
        let replaced = secret_version::replace(
            &self.aws.secrets_manager(),
            &full_name,
            value,
            read_version,
            &SystemRandomness,
        )
        .await?;
        // The operator's role may have changed since the secret was created.
        self.restrict(name, &full_name).await?;
        Ok(replaced)
    }

    /// Denies everyone but its functions and the operator to read a secret.
    async fn restrict(&self, name: &str, full_name: &str) -> Result<(), StoreError> {
        let readers = match name {
            MTLS => &self.readers.mtls,
            ENCRYPTION => &self.readers.encryption,
            ISSUER => &self.readers.issuer,
            _ => &self.readers.confirmation,
        };
        let Some(policy) = secret_policy::policy(readers, self.readers.operator.as_deref()) else {
            return Ok(());
        };
        self.aws
            .secrets_manager()
            .put_resource_policy()
            .secret_id(full_name)
            .resource_policy(policy)
            .block_public_policy(true)
            .send()
            .await
            .map(|_| ())
            .map_err(|error| StoreError::unavailable("setting a secret's policy", describe(&error)))
    }

    /// Creates a secret, or gives it a new version.
    pub async fn write_secret(&self, _: &Permit, name: &str, value: &SecretString) -> Result<(), StoreError> {
        let manager = self.aws.secrets_manager();
        let full_name = self.secret_name(name);
        if create(&manager, &full_name, value).await? == SecretCreation::Created {
            return self.restrict(name, &full_name).await;
        }
        self.restrict(name, &full_name).await?;
        manager
            .put_secret_value()
            .secret_id(&full_name)
            .secret_string(value.expose_secret())
            .send()
            .await
            .map(|_| ())
            .map_err(|error| StoreError::unavailable("writing a secret", describe(&error)))
    }
}

/// Readers of secrets in a stack's settings, which may name none.
fn readers(values: &HashMap<String, String>) -> SecretReaders {
    let list = |name: &str| {
        let text = values.get(name).map_or("", String::as_str);
        let arns = text.split(',').map(str::trim).filter(|arn| !arn.is_empty());
        arns.map(str::to_owned).collect()
    };
    SecretReaders {
        mtls: list("MTLS_READERS"),
        encryption: list("ENCRYPTION_READERS"),
        issuer: list("ISSUER_READERS"),
        confirmation: list("CONFIRMATION_READERS"),
        operator: values.get("OPERATOR_ARN").filter(|arn| !arn.is_empty()).cloned(),
    }
}

async fn create(
    manager: &SecretsManager,
    full_name: &str,
    value: &SecretString,
) -> Result<SecretCreation, StoreError> {
    match manager
        .create_secret()
        .name(full_name)
        .secret_string(value.expose_secret())
        .send()
        .await
    {
        Ok(_) => Ok(SecretCreation::Created),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(CreateSecretError::is_resource_exists_exception) =>
        {
            Ok(SecretCreation::AlreadyExists)
        }
        Err(error) => Err(StoreError::unavailable("creating a secret", describe(&error))),
    }
}
