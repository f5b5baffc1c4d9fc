//! Start of a Lambda function: log, settings and adapters, once, before the first event. It makes no network call.

use std::sync::Arc;

use enrollment::clock::Clock;
use enrollment::log::{by_display, error};

use crate::adapters::Adapters;
use crate::aws::{Aws, MissingVariableError};
use crate::clock::SystemClock;
use crate::logs;
use crate::metrics::Metrics;
use crate::randomness::SystemRandomness;
use crate::settings::{Settings, SettingsError, log_level};

/// Everything that a function's `main` wires.
pub struct Function {
    /// Settings of the function.
    pub settings: Settings,
    /// Adapters of its stack.
    pub adapters: Adapters,
}

/// Reason for which a function can't start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// A setting is missing or wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Region or credentials are missing.
    #[error(transparent)]
    Aws(#[from] MissingVariableError),
}

// Names of settings and of variables, and never their values.
by_display!(StartError);

/// Starts a function: `platform::start(env!("CARGO_CRATE_NAME"))`.
///
/// # Errors
/// Error where settings, region or credentials are missing or wrong. It is logged before this returns.
pub fn start(own_crate: &'static str) -> Result<Function, StartError> {
    let variable = |name: &str| std::env::var(name).ok();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let level = log_level(variable);
    logs::install(
        level.clone().unwrap_or(tracing::Level::INFO),
        own_crate,
        Arc::clone(&clock),
    );
    let function = level
        .map_err(StartError::from)
        .and_then(|_| Function::read(variable, clock));
    function.inspect_err(|error| error!(error, "function start failed"))
}

impl Function {
    fn read(variable: impl Fn(&str) -> Option<String>, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let settings = Settings::read(&variable)?;
        let aws = Aws::from_variables(&variable)?;
        let stack = settings.stack.clone();
        let metrics = Metrics::new(&stack.name, Arc::clone(&clock));
        Ok(Self {
            settings,
            adapters: Adapters::new(aws, stack, metrics, clock, Arc::new(SystemRandomness)),
        })
    }

    /// Public address by which browsers reach this function.
    #[cfg(feature = "gateway")]
    pub fn public_base(&self) -> crate::gateway::PublicBase {
        crate::gateway::PublicBase::new(self.settings.public_base_url.clone())
    }
}
