#![doc = include_str!("../README.md")]

mod arguments;
mod audit;
mod batch;
mod client;
mod confirmation_keys;
mod confirmations;
mod consumers;
mod customer;
mod difference;
mod field;
mod files;
mod gate;
mod incident;
mod intents;
mod jwe;
mod key_files;
mod keys;
mod mastercard_secrets;
mod new_client;
mod oauth;
mod preview;
mod reconcile;
mod summary;
mod terminal;
mod token;
mod translation_file;

use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory as _, Parser as _};
use platform::operator::Stack;

use arguments::{Arguments, ClientCommand, Command, IntentsCommand, MastercardCommand, TokenCommand};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let failure = arguments.command.failure();
    match run(arguments).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("enrollctl: {error:#}");
            failure.into()
        }
    }
}

async fn run(arguments: Arguments) -> Result<ExitCode> {
    let Arguments { stack, command } = arguments;
    let done = match command {
        Command::Client(ClientCommand::Diff { file }) => {
            let differs = client::diff(&find(stack).await?, &file).await?;
            return Ok(u8::from(differs).into());
        }
        Command::Client(ClientCommand::New { id, name, dir }) => {
            new_client::create(&id, name.as_deref(), dir)
        }
        Command::Client(ClientCommand::Texts(arguments)) => translation_file::write(stack, &arguments).await,
        Command::Client(ClientCommand::Preview(arguments)) => preview::run(&arguments).await,
        Command::Client(ClientCommand::Apply { file, yes, reason }) => {
            client::apply(&find(stack).await?, &file, yes, &reason).await
        }
        Command::Client(ClientCommand::Show { id, json }) => {
            client::show(&find(stack).await?, &id, json).await
        }
        Command::Client(ClientCommand::Suspend { id, lift, reason }) => {
            client::suspend(&find(stack).await?, &id, lift, &reason).await
        }
        Command::Customer(command) => customer::run(&find(stack).await?, command).await,
        Command::Reconcile(asked) => {
            return reconcile::run(&find(stack).await?, &asked).await;
        }
        Command::Intents(IntentsCommand::List { all, limit }) => {
            intents::list(&find(stack).await?, all, limit).await
        }
        Command::Incident { id, revealing } => incident::run(&find(stack).await?, &id, &revealing).await,
        Command::Audit { client } => audit::run(&find(stack).await?, client.as_deref()).await,
        Command::Confirmations(command) => confirmations::run(&find(stack).await?, command).await,
        Command::Batch(command) => return batch::run(command).await,
        Command::Token(TokenCommand::Sign(claims)) => token::sign(&claims),
        Command::Token(TokenCommand::Open { token, url }) => {
            let base = match url {
                Some(url) => url,
                None => find(stack).await?.public_base_url.to_string(),
            };
            token::open(&base, token).await
        }
        Command::OAuth(command) => return oauth::run(command),
        Command::Keys(command) => return keys::run(command).await,
        Command::Jwe(command) => jwe::run(command),
        Command::Field(command) => field::run(command),
        Command::Mastercard(MastercardCommand::Mtls(files)) => {
            mastercard_secrets::mutual_tls(&find(stack).await?, &files).await
        }
        Command::Mastercard(MastercardCommand::EncryptionKey {
            key_reference,
            public_key,
            fingerprint,
            reason,
        }) => {
            let key = mastercard_secrets::NewKey {
                reference: &key_reference,
                file: &public_key,
                fingerprint: fingerprint.as_deref(),
            };
            mastercard_secrets::encryption_key(&find(stack).await?, &key, &reason).await
        }
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// Finds the stack that `--stack` names; without it, exits with a usage error.
async fn find(name: Option<String>) -> Result<Stack> {
    let Some(name) = name else {
        let message = "this command needs a stack: add --stack NAME";
        Arguments::command()
            .error(clap::error::ErrorKind::MissingRequiredArgument, message)
            .exit()
    };
    Ok(Stack::find(&name).await?)
}
