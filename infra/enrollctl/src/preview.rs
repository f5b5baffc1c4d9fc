//! Preview of a client's page before its file is applied: every state with sample data, in every language, light and dark.
//! The page is the one that `widget-page` serves, with its headers; only the answers to its calls are samples.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use enrollment::client::Client;
use enrollment::language::Language;
use platform::public_base_url::BasePath;
use widget_page::handler::client_page;
use widget_page::page::RenderedPage;

use crate::client;

mod files;
mod index;
mod sample;
mod server;
mod states;

use sample::Samples;
use states::State;

/// Themes of the page's address.
const THEMES: [&str; 3] = ["auto", "light", "dark"];

/// Choices of a preview.
#[derive(Debug, clap::Args)]
pub(crate) struct PreviewArguments {
    /// The client file; files that it names are relative to it.
    file: PathBuf,
    /// Write HTML files into this new folder instead, which open from there.
    #[arg(long, value_name = "DIR", conflicts_with = "port")]
    output: Option<PathBuf>,
    /// Port of the preview on this machine [default: a free one].
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    port: u16,
}

/// A client's page with the samples for its calls.
struct Preview {
    client: Client,
    /// Pictures by the name that the page gives them, without `.png`.
    pictures: BTreeMap<String, Vec<u8>>,
    samples: Samples,
    base: BasePath,
}

/// Serves the preview until the process is interrupted, or writes it.
pub(crate) async fn run(arguments: &PreviewArguments) -> Result<()> {
    let preview = Preview::of(&arguments.file)?;
    if let Some(folder) = &arguments.output {
        let count = files::write(&preview, folder)?;
        println!(
            "{count} pages written; open {}",
            folder.join("index.html").display()
        );
        return Ok(());
    }
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .with_context(|| format!("can't listen on {address}"))?;
    println!("http://{}/", listener.local_addr()?);
    println!("The preview runs until it is interrupted (Ctrl+C); a change of the file needs another start.");
    axum::serve(listener, server::router(Arc::new(preview))).await?;
    Ok(())
}

impl Preview {
    fn of(file: &Path) -> Result<Self> {
        let setup = client::read(file)?;
        Ok(Self {
            samples: Samples::of(&setup.client)?,
            client: setup.client,
            pictures: setup.pictures,
            base: BasePath::default(),
        })
    }

    /// Renders the page for the query of an address.
    fn page(&self, query: &[(String, String)]) -> Result<RenderedPage> {
        let find = |name: &str| {
            query
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
        };
        Ok(client_page(&self.client, find, false, &self.base)?)
    }

    /// Languages that the client offers, each once.
    fn languages(&self) -> Vec<&Language> {
        let mut languages: Vec<_> = Vec::new();
        for language in self.client.offered_languages() {
            if !languages.contains(&language) {
                languages.push(language);
            }
        }
        languages
    }

    /// States that the client's programs can reach.
    fn states(&self) -> impl Iterator<Item = &'static State> {
        let programs = &self.client.programs;
        let replaces = programs.iter().any(|program| program.replacement);
        let opts_out = programs.iter().any(|program| program.opt_out);
        states::STATES.iter().filter(move |state| match state.action {
            enrollment::action::ActionCode::Enroll => true,
            enrollment::action::ActionCode::Replace => replaces,
            enrollment::action::ActionCode::OptOut => opts_out,
        })
    }
}
