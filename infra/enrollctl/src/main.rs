#![doc = include_str!("../README.md")]

mod arguments;
mod client;
mod confirmation_keys;
mod confirmations;
mod difference;
mod mastercard_secrets;
mod terminal;
mod token;

use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory as _, Parser as _};
use platform::operator::Stack;

use arguments::{Arguments, ClientCommand, Command, MastercardCommand, TokenCommand};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("enrollctl: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let Arguments { stack, command } = arguments;
    match command {
        Command::Client(ClientCommand::Apply { file, yes }) => {
            client::apply(&find(stack).await?, &file, yes).await
        }
        Command::Client(ClientCommand::Show { id }) => client::show(&find(stack).await?, &id).await,
        Command::Confirmations(command) => confirmations::run(&find(stack).await?, command).await,
        Command::Token(TokenCommand::Sign(claims)) => token::sign(&claims),
        Command::Token(TokenCommand::Open { token, url }) => {
            let base = match url {
                Some(url) => url,
                None => find(stack).await?.settings.public_base_url,
            };
            token::open(&base, token).await
        }
        Command::Mastercard(MastercardCommand::Mtls(files)) => {
            mastercard_secrets::mutual_tls(&find(stack).await?, &files).await
        }
        Command::Mastercard(MastercardCommand::EncryptionKey {
            reference,
            public_key,
            fingerprint,
        }) => {
            let stack = find(stack).await?;
            mastercard_secrets::encryption_key(&stack, &reference, &public_key, fingerprint.as_deref()).await
        }
    }
}

/// The stack that `--stack` names. Without it this is a mistake in the command, told as such.
async fn find(name: Option<String>) -> Result<Stack> {
    let Some(name) = name else {
        let message = "this command works on a stack: say which by --stack NAME";
        Arguments::command()
            .error(clap::error::ErrorKind::MissingRequiredArgument, message)
            .exit()
    };
    Ok(Stack::find(&name).await?)
}
