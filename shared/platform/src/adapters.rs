//! Adapters of one stack, behind the ports of `enrollment`. A function's start, the operator's tool and the test suites all
//! make them here, so that all three run the same code over the same settings.
//!
//! # How to add an adapter
//! Add a method to [`Adapters`] that makes it from what the struct has: an SDK client of [`Aws`], the stack's settings, the
//! vault, metrics, clock and randomness. A new SDK client is a method of [`Aws`] and a line of `template.yaml`'s roles.

use std::sync::{Arc, OnceLock};

use enrollment::clock::Clock;
use enrollment::randomness::Randomness;
use webhooks::sender::{PrivateHost, SenderSetupError};

use crate::aws::Aws;
use crate::card_keys::CardKeys;
use crate::connection::{MastercardConnection, MutualTlsCredentials};
use crate::issuer::{IssuerAuthentication, IssuerConnection, MastercardIssuerEnrollment};
use crate::metrics::Metrics;
use crate::queues::SqsWakeups;
use crate::receivers::WebhookReceivers;
use crate::rewards::MrsRewards;
use crate::secrets::Secrets;
use crate::settings::StackSettings;
#[cfg(feature = "operator")]
use crate::tables::confirmations::admin::{ConfirmationAdmin, Records};
use crate::tables::{
    BatchTables, DynamoBatches, DynamoClients, DynamoConfirmations, DynamoDigitalCards, DynamoEnrollments,
    DynamoLimits, DynamoPacing, DynamoSessions, DynamoSubmissionRecords, SubmissionTables,
};
use crate::vault::{DynamoWrappedKeys, KeyCaching, KeyWrapper, KmsKeyWrapper, Vault};

/// Makes the adapters of one stack. Nothing is made before it is asked for, so a function links and pays for what it uses.
pub struct Adapters {
    aws: Aws,
    settings: StackSettings,
    metrics: Metrics,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    vault: OnceLock<Arc<Vault>>,
    secrets: OnceLock<Arc<Secrets>>,
}

impl Adapters {
    /// Adapters of the stack of these settings.
    pub fn new(
        aws: Aws,
        settings: StackSettings,
        metrics: Metrics,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Self {
        Self {
            aws,
            settings,
            metrics,
            clock,
            randomness,
            dynamodb: OnceLock::new(),
            vault: OnceLock::new(),
            secrets: OnceLock::new(),
        }
    }

    /// Uses this client for all tables, such as one with an interceptor.
    #[must_use]
    pub fn with_dynamodb(self, dynamodb: aws_sdk_dynamodb::Client) -> Self {
        Self {
            dynamodb: dynamodb.into(),
            ..self
        }
    }

    /// Uses this vault, such as one whose data keys are cached already.
    #[must_use]
    pub fn with_vault(self, vault: Arc<Vault>) -> Self {
        Self {
            vault: vault.into(),
            ..self
        }
    }

    /// Clock of all adapters.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// Random number generator of all adapters.
    pub fn randomness(&self) -> Arc<dyn Randomness> {
        Arc::clone(&self.randomness)
    }

    /// Metrics of the stack.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// Clients' set-ups.
    pub fn clients(&self) -> DynamoClients {
        DynamoClients::new(self.dynamodb(), &self.settings.tables.clients, &self.clock)
    }

    /// Sessions and used tokens.
    pub fn sessions(&self) -> DynamoSessions {
        DynamoSessions::new(
            self.dynamodb(),
            &self.settings.tables.sessions,
            self.vault(),
            self.clock(),
            self.randomness(),
        )
    }

    /// Counters against card testing.
    pub fn limits(&self) -> DynamoLimits {
        DynamoLimits::new(
            self.dynamodb(),
            &self.settings.tables.limits,
            self.vault(),
            self.randomness(),
        )
    }

    /// Batched reads of a submission. Clients that they read are cached in `clients`.
    pub fn submission_records(&self, clients: &Arc<DynamoClients>) -> DynamoSubmissionRecords {
        let tables = SubmissionTables {
            clients: Arc::clone(clients),
            sessions: self.sessions(),
            enrollments: self.enrollments(),
            limits: self.limits(),
        };
        DynamoSubmissionRecords::new(tables, self.vault(), self.clock())
    }

    /// Intents, cards and customers.
    pub fn enrollments(&self) -> DynamoEnrollments {
        DynamoEnrollments::new(
            self.dynamodb(),
            self.settings.tables.clone(),
            self.vault(),
            self.clock(),
            self.randomness(),
        )
        .measured_by(self.metrics())
    }

    /// Confirmations and the state of their receivers.
    pub fn confirmations(&self) -> DynamoConfirmations {
        DynamoConfirmations::new(
            self.dynamodb(),
            &self.settings.tables.confirmations,
            self.vault(),
            self.clock(),
            self.randomness(),
        )
    }

    /// Confirmations as an operator works on them.
    #[cfg(feature = "operator")]
    pub fn confirmation_admin(&self) -> ConfirmationAdmin {
        ConfirmationAdmin::new(
            self.dynamodb(),
            &self.settings.tables.confirmations,
            self.vault(),
            self.clock(),
            Records {
                enrollments: self.enrollments(),
                batches: self.batches(),
                clients: self.clients(),
            },
        )
    }

    /// Batches of issuers.
    pub fn batches(&self) -> DynamoBatches {
        let tables = &self.settings.tables;
        let tables = BatchTables {
            batches: tables.batches.clone(),
            confirmations: tables.confirmations.clone(),
            enrollments: tables.enrollments.clone(),
        };
        DynamoBatches::new(
            self.dynamodb(),
            tables,
            self.vault(),
            self.clock(),
            self.randomness(),
        )
    }

    /// Digital cards that batches enrolled.
    pub fn digital_cards(&self) -> DynamoDigitalCards {
        DynamoDigitalCards::new(
            self.dynamodb(),
            &self.settings.tables.digital_cards,
            self.vault(),
            self.randomness(),
        )
    }

    /// Encrypted contents of batches.
    #[cfg(feature = "batch-contents")]
    pub fn batch_contents(&self) -> crate::batch_contents::S3BatchContents {
        crate::batch_contents::S3BatchContents::new(self.aws.s3(), &self.settings.batches_bucket)
    }

    /// Rate of calls to the Issuer Enrollment API that all processes of the stack share.
    pub fn pacing(&self) -> DynamoPacing {
        DynamoPacing::new(
            self.dynamodb(),
            &self.settings.tables.limits,
            self.randomness(),
            self.settings.issuer.rate_per_second,
        )
    }

    /// Connection to the Issuer Enrollment API.
    pub fn issuer_connection(&self) -> IssuerConnection {
        IssuerConnection::new(
            IssuerAuthentication::new(self.clock(), self.randomness()),
            self.secrets(),
            self.metrics(),
            self.clock(),
        )
    }

    /// Mastercard's Issuer Enrollment API over `connection`.
    pub fn issuer_enrollment(&self, connection: IssuerConnection) -> MastercardIssuerEnrollment {
        let issuer = &self.settings.issuer;
        MastercardIssuerEnrollment::new(
            connection,
            issuer.base_url.as_ref().map(|url| url.as_str().to_owned()),
            issuer.dialect,
            self.randomness(),
        )
    }

    /// Queues that wake the functions which resume stored work.
    pub fn wakeups(&self) -> SqsWakeups {
        SqsWakeups::new(self.aws.sqs(), self.settings.queues.clone())
    }

    /// Partners' receivers. `private_hosts` may be posted to although they are not on the public internet.
    ///
    /// # Errors
    /// Error if no TLS client can be made.
    pub fn receivers(&self, private_hosts: Vec<PrivateHost>) -> Result<WebhookReceivers, SenderSetupError> {
        WebhookReceivers::new(self.secrets(), private_hosts)
    }

    /// Secrets, with one cache for all adapters.
    pub fn secrets(&self) -> Arc<Secrets> {
        Arc::clone(self.secrets.get_or_init(|| Arc::new(self.uncached_secrets())))
    }

    /// Secrets with an empty cache of their own: their first read asks Secrets Manager.
    pub fn uncached_secrets(&self) -> Secrets {
        let prefix = &self.settings.secrets_prefix;
        Secrets::new(self.aws.secrets_manager(), prefix, self.clock())
    }

    /// Key that pages encrypt card numbers under, as far as the deployment allows it.
    pub fn card_keys(&self) -> CardKeys {
        let allowed = self.settings.card_key_fingerprints.clone();
        CardKeys::new(self.secrets(), allowed, self.metrics())
    }

    /// Connection to Mastercard. Adapters over one connection share its certificate.
    pub fn mastercard(&self) -> MastercardConnection {
        MastercardConnection::new(MutualTlsCredentials, self.secrets(), self.metrics(), self.clock())
    }

    /// Mastercard Rewards System over `connection`.
    pub fn rewards(&self, connection: MastercardConnection) -> MrsRewards {
        let base_url = self.settings.mrs_base_url.as_str();
        MrsRewards::new(connection, base_url, self.settings.mrs_dialect, self.clock())
    }

    /// Clients' pictures.
    #[cfg(feature = "pictures")]
    pub fn pictures(&self) -> crate::pictures::Pictures {
        crate::pictures::Pictures::new(self.aws.s3(), &self.settings.pictures_bucket)
    }

    /// Vault over the stack's table of data keys, which `wrapper` unwraps. It has an empty key cache of its own.
    pub fn vault_over(&self, wrapper: Arc<dyn KeyWrapper>) -> Arc<Vault> {
        let stored = DynamoWrappedKeys::new(self.dynamodb(), &self.settings.tables.keys, self.clock());
        Arc::new(Vault::new(
            wrapper,
            Arc::new(stored),
            self.clock(),
            self.randomness(),
            KeyCaching::default(),
        ))
    }

    /// One vault for all adapters, so that they share the unwrapped keys.
    fn vault(&self) -> Arc<Vault> {
        let kms = || KmsKeyWrapper::new(self.aws.kms(), &self.settings.kms_key_id);
        Arc::clone(self.vault.get_or_init(|| self.vault_over(Arc::new(kms()))))
    }

    pub(crate) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        self.dynamodb.get_or_init(|| self.aws.dynamodb()).clone()
    }
}
