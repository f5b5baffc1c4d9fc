//! How a function starts: logging, settings, clients, once, before the first event. Nothing of it asks the network.

use std::sync::{Arc, OnceLock};

use enrollment::log::{by_display, error};
use enrollment::ports::{Clock, Randomness};
use webhooks::sender::SenderSetupError;

use crate::aws::{Aws, MissingVariable};
use crate::card_keys::CardKeys;
use crate::clock::SystemClock;
use crate::logs;
use crate::metrics::Metrics;
use crate::queues::SqsWakeups;
use crate::randomness::SystemRandomness;
use crate::receivers::WebhookReceivers;
use crate::rewards::MrsRewards;
use crate::secrets::Secrets;
use crate::settings::{Settings, SettingsError, log_level};
use crate::tables::{
    Adapters, DynamoClients, DynamoConfirmations, DynamoEnrollments, DynamoLimits, DynamoSessions,
    DynamoSubmissionRecords,
};
use crate::vault::Vault;

/// What a function is made of. Each adapter is made when it is asked for.
pub struct Platform {
    /// What the function was told.
    pub settings: Settings,
    aws: Aws,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    vault: OnceLock<Arc<Vault>>,
}

/// Why a function can't start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// A setting is missing or wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Region or credentials are missing.
    #[error(transparent)]
    Aws(#[from] MissingVariable),
}

// Names of settings and of variables, and never their values.
by_display!(StartError);

/// Starts a function: `platform::start(env!("CARGO_CRATE_NAME"))`. A failure is in the log when this returns.
pub fn start(own_crate: &'static str) -> Result<Platform, StartError> {
    let variable = |name: &str| std::env::var(name).ok();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let level = log_level(variable);
    logs::install(
        level.clone().unwrap_or(tracing::Level::INFO),
        own_crate,
        Arc::clone(&clock),
    );
    let platform = level
        .map_err(StartError::from)
        .and_then(|_| Platform::read(variable, clock));
    platform.inspect_err(|error| error!(error, "the function can't start"))
}

impl Platform {
    fn read(variable: impl Fn(&str) -> Option<String>, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let settings = Settings::read(&variable)?;
        let aws = Aws::from_variables(&variable)?;
        Ok(Self {
            settings,
            aws,
            clock,
            randomness: Arc::new(SystemRandomness),
            dynamodb: OnceLock::new(),
            vault: OnceLock::new(),
        })
    }

    /// Public address by which browsers reach this function.
    #[cfg(feature = "gateway")]
    pub fn public_base(&self) -> crate::gateway::PublicBase {
        crate::gateway::PublicBase::new(self.settings.public_base_url.clone())
    }

    /// The system's clock.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// aws-lc's generator.
    pub fn randomness(&self) -> Arc<dyn Randomness> {
        Arc::clone(&self.randomness)
    }

    /// Clients' set-ups.
    pub fn clients(&self) -> DynamoClients {
        DynamoClients::new(self.dynamodb(), &self.settings.stack.tables.clients, &self.clock)
    }

    /// Sessions and used tokens.
    pub fn sessions(&self) -> DynamoSessions {
        let table = &self.settings.stack.tables.sessions;
        DynamoSessions::new(
            self.dynamodb(),
            table,
            self.vault(),
            self.clock(),
            self.randomness(),
        )
    }

    /// Counters against card testing.
    pub fn limits(&self) -> DynamoLimits {
        DynamoLimits::new(
            self.dynamodb(),
            &self.settings.stack.tables.limits,
            self.vault(),
            self.randomness(),
        )
    }

    /// Batched reads of a submission. Clients that they read are remembered by `clients`.
    pub fn submission_records(&self, clients: &Arc<DynamoClients>) -> DynamoSubmissionRecords {
        let adapters = Adapters {
            clients: Arc::clone(clients),
            sessions: self.sessions(),
            enrollments: self.enrollments(),
            limits: self.limits(),
        };
        DynamoSubmissionRecords::new(adapters, self.vault(), self.clock())
    }

    /// Intents, cards and customers.
    pub fn enrollments(&self) -> DynamoEnrollments {
        let tables = self.settings.stack.tables.clone();
        DynamoEnrollments::new(
            self.dynamodb(),
            tables,
            self.vault(),
            self.clock(),
            self.randomness(),
        )
        .measured_by(self.metrics())
    }

    /// Confirmations, and what is known of their receivers.
    pub fn confirmations(&self) -> DynamoConfirmations {
        let table = &self.settings.stack.tables.confirmations;
        DynamoConfirmations::new(
            self.dynamodb(),
            table,
            self.vault(),
            self.clock(),
            self.randomness(),
        )
    }

    /// The queues that wake `settle` and `confirm`.
    pub fn wakeups(&self) -> SqsWakeups {
        SqsWakeups::new(self.aws.sqs(), self.settings.stack.queues.clone())
    }

    /// Partners' receivers, with the secrets that `secrets` holds.
    pub fn receivers(&self, secrets: &Arc<Secrets>) -> Result<WebhookReceivers, SenderSetupError> {
        let private = self.settings.dangerous_private_confirmation_hosts.clone();
        WebhookReceivers::new(Arc::clone(secrets), private)
    }

    /// Secrets.
    pub fn secrets(&self) -> Secrets {
        Secrets::new(
            self.aws.secrets_manager(),
            &self.settings.stack.secrets_prefix,
            self.clock(),
        )
    }

    /// The key that pages encrypt under: that of `secrets`, where the deployment allows it.
    pub fn card_keys(&self, secrets: &Arc<Secrets>) -> CardKeys {
        let allowed = self.settings.stack.card_key_fingerprints.clone();
        CardKeys::new(Arc::clone(secrets), allowed, self.metrics())
    }

    /// The Mastercard Rewards System, with the certificate that `secrets` holds.
    pub fn rewards(&self, secrets: &Arc<Secrets>) -> MrsRewards {
        let base_url = self.settings.stack.mrs_base_url.as_str();
        MrsRewards::new(
            Arc::clone(secrets),
            base_url,
            self.settings.stack.mrs_dialect,
            self.metrics(),
            self.clock(),
        )
        .noting(self.enrollments())
    }

    /// Clients' pictures.
    #[cfg(feature = "pictures")]
    pub fn pictures(&self) -> crate::pictures::Pictures {
        crate::pictures::Pictures::new(self.aws.s3(), &self.settings.stack.pictures_bucket)
    }

    /// Metrics.
    pub fn metrics(&self) -> Metrics {
        Metrics::new(&self.settings.stack.name, self.clock())
    }

    /// One vault for all adapters, so that they share the unwrapped keys.
    fn vault(&self) -> Arc<Vault> {
        let make = || Vault::of_stack(&self.aws, &self.settings.stack, self.clock(), self.randomness());
        Arc::clone(self.vault.get_or_init(make))
    }

    fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        self.dynamodb.get_or_init(|| self.aws.dynamodb()).clone()
    }
}
