//! `sandbox`: what surrounds the product on a developer's machine. See the crate's README.
#![expect(
    clippy::disallowed_macros,
    reason = "the stand-in is never deployed, and what it logs is its own"
)]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use sandbox::{Addresses, Clock, MrsSettings, RecorderSettings, Sandbox, Settings, Upstream};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A Mastercard stand-in, a demo partner with its receiver of confirmations, and a front for the API.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// Folder with ca.pem, server.pem, server.key.pem, rewards.key.pem
    #[arg(long)]
    pki: PathBuf,
    /// Folder with demo.json and private-key.pem; they may be written later
    #[arg(long)]
    demo: PathBuf,
    /// Address of the front of the API
    #[arg(long, default_value = "127.0.0.1:8700")]
    api_listen: SocketAddr,
    /// Upstream of the front: http://…, or @FILE with such an address in it
    #[arg(long)]
    api_upstream: String,
    /// Address of the demo partner's site
    #[arg(long, default_value = "127.0.0.1:8701")]
    partner_listen: SocketAddr,
    /// Address of the demo partner's receiver of confirmations (TLS)
    #[arg(long, default_value = "127.0.0.1:8702")]
    receiver_listen: SocketAddr,
    /// Address of the Mastercard stand-in (mutual TLS)
    #[arg(long, default_value = "127.0.0.1:8703")]
    mastercard_listen: SocketAddr,
    /// Address of the stand-in's admin listener
    #[arg(long, default_value = "127.0.0.1:8704")]
    admin_listen: SocketAddr,
    /// Address at which partners reach the product
    #[arg(long, default_value = "http://localhost:8700")]
    public_base_url: String,
    /// Client id of the demo partner, instead of demo.json's
    #[arg(long)]
    client: Option<String>,
    /// Program id of the demo partner, instead of demo.json's
    #[arg(long)]
    program: Option<String>,
    /// TOML file with the stand-in's programs and dialects, instead of the demo's
    #[arg(long)]
    config: Option<PathBuf>,
    /// File in which what the stand-in holds survives a restart; without it, it is gone then
    #[arg(long)]
    state: Option<PathBuf>,
    /// Address by which functions call the local AWS, so that their calls are recorded
    #[arg(long, requires_all = ["recorder_upstream", "recorder_file"])]
    recorder_listen: Option<SocketAddr>,
    /// Address that the recorder passes them on to
    #[arg(long)]
    recorder_upstream: Option<SocketAddr>,
    /// File that gets a line for each call that differs from those before it
    #[arg(long)]
    recorder_file: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    // Third parties' debug output may hold what goes over the wire: it is capped here, whatever RUST_LOG says.
    let level = std::env::var("SANDBOX_LOG").unwrap_or_else(|_| "info".to_owned());
    let filter = EnvFilter::new(format!("warn,sandbox={level}"));
    tracing_subscriber::fmt().json().with_env_filter(filter).init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            tracing::error!(reason = message, "the sandbox can't run");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), String> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let sandbox = Sandbox::start(arguments.settings()?)
        .await
        .map_err(|error| error.to_string())?;
    let Addresses {
        api,
        partner,
        receiver,
        mastercard,
        admin,
    } = sandbox.addresses();
    tracing::info!(%api, %partner, %receiver, %mastercard, %admin, "the sandbox is ready");
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    sandbox.end().await;
    tracing::info!("the sandbox has ended");
    Ok(())
}

impl Arguments {
    fn settings(self) -> Result<Settings, String> {
        let mrs = match self.config {
            None => MrsSettings::default(),
            Some(file) => {
                let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
                let text = std::fs::read_to_string(&file).map_err(|error| wrong(&error))?;
                MrsSettings::from_toml(&text).map_err(|error| wrong(&error))?
            }
        };
        let recorder = match (self.recorder_listen, self.recorder_upstream, self.recorder_file) {
            (Some(listen), Some(upstream), Some(file)) => Some(RecorderSettings {
                listen,
                upstream,
                file,
            }),
            _ => None,
        };
        Ok(Settings {
            recorder,
            pki: self.pki,
            demo: self.demo,
            upstream: Upstream::parse(&self.api_upstream),
            public_base_url: self.public_base_url,
            client: self.client,
            program: self.program,
            mrs,
            state: self.state,
            listen: Addresses {
                api: self.api_listen,
                partner: self.partner_listen,
                receiver: self.receiver_listen,
                mastercard: self.mastercard_listen,
                admin: self.admin_listen,
            },
            clock: Clock::system(),
        })
    }
}
