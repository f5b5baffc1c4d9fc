#![doc = include_str!("../README.md")]

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use mastercard::http::{ClientIdentity, HttpClient, HttpSettings, Trust};
use mastercard::mrs::{
    CustomerAccount, Dialect, EncryptedPair, EnrollAccount, EnrollRequest, EnrollResponse, MrsClient,
    MrsError,
};
use serde_json::{Value, json};

/// Calls MRS once and prints the outcome as JSON.
#[derive(Parser)]
struct Arguments {
    /// Address of the services, without a slash at the end.
    #[arg(long)]
    base: String,
    /// Certificate authorities of the server, in PEM.
    #[arg(long)]
    authority: PathBuf,
    /// The client's certificate with its chain, in PEM.
    #[arg(long)]
    certificate: PathBuf,
    /// The client's private key, in PEM.
    #[arg(long)]
    key: PathBuf,
    /// `document` or `wsdl`.
    #[arg(long, default_value = "wsdl")]
    dialect: String,
    #[command(subcommand)]
    operation: Operation,
}

#[derive(Subcommand)]
enum Operation {
    /// `enroll` of a card under a bank customer number.
    Enroll { number: String },
    /// `updateCustomerAccount` with the status that cancels.
    Cancel { reference: String },
    /// `getCustomerAccounts`.
    Accounts { number: String },
    /// `doEcho`.
    Echo { text: String },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .json()
        .with_writer(std::io::stderr)
        .init();
    let mrs = client(&arguments)?;
    let outcome = match &arguments.operation {
        Operation::Enroll { number } => mrs
            .enroll(&request(number)?)
            .await
            .map(|answer| enrolled(&answer)),
        Operation::Cancel { reference } => mrs
            .cancel_account(reference)
            .await
            .map(|()| json!({"outcome": "ok"})),
        Operation::Accounts { number } => mrs.customer_accounts(number).await.map(|found| {
            let accounts: Vec<Value> = found.iter().map(account).collect();
            json!({"outcome": "ok", "accounts": accounts})
        }),
        Operation::Echo { text } => mrs
            .echo(text)
            .await
            .map(|text| json!({"outcome": "ok", "text": text})),
    };
    println!("{}", outcome.unwrap_or_else(|error| failed(&error)));
    Ok(())
}

fn client(arguments: &Arguments) -> Result<MrsClient> {
    let read = |file: &PathBuf| {
        fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))
    };
    let identity = ClientIdentity::from_pem(&read(&arguments.certificate)?, &read(&arguments.key)?)?;
    let http = HttpClient::new(&HttpSettings {
        trust: Trust::only_pem(&read(&arguments.authority)?)?,
        identity: Some(identity),
        ..HttpSettings::default()
    })?;
    let dialect: Dialect = arguments.dialect.parse()?;
    Ok(MrsClient::new(http, &arguments.base, dialect, "Demo Bank")?)
}

fn request(number: &str) -> Result<EnrollRequest> {
    Ok(EnrollRequest {
        bank_customer_number: number.to_owned(),
        member_ica: 1234,
        email_address: Some("zoe@partner.example".to_owned()),
        language_code: Some("en_US".to_owned()),
        first_name: Some("Zoë & <Ana>".to_owned()),
        last_name: None,
        account: EnrollAccount {
            number: EncryptedPair::new("S2V5", "RGF0YQ==")?,
            bank_product_code: "MRSDEMO".to_owned(),
            program_identifier: "10765".to_owned(),
        },
    })
}

fn enrolled(answer: &EnrollResponse) -> Value {
    json!({"outcome": "ok", "referenceId": answer.reference_id, "customerId": answer.customer_id})
}

fn account(account: &CustomerAccount) -> Value {
    json!({
        "referenceId": account.reference_id,
        "status": format!("{:?}", account.status),
        "last4": account.last_four,
        "accountId": account.account_id,
        "customerId": account.customer_id,
        "product": account.bank_product_code,
        "program": account.program_identifier,
    })
}

fn failed(error: &MrsError) -> Value {
    let text = error.foreign_text().map(|text| text.expose().to_owned());
    match error {
        MrsError::Fault(fault) => json!({"outcome": "fault", "code": fault.code.value(), "text": text}),
        MrsError::NotSent { .. } => json!({"outcome": "not_sent", "class": error.class(), "text": text}),
        MrsError::Unknown { .. } => {
            json!({"outcome": "unknown", "class": error.class(), "why": error.to_string(), "text": text})
        }
    }
}
