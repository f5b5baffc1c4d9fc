#![doc = include_str!("../README.md")]

use enrollment::action::ActionCode;
use lambda_http::Error;

#[tokio::main]
async fn main() -> Result<(), Error> {
    page_api::run(ActionCode::Enroll, env!("CARGO_CRATE_NAME")).await
}
