use anyhow::Result;
use enrollment::identifiers::ClientId;
use platform::operator::Stack;
use platform::tables::audit::Trail;

use crate::client;

/// Prints the lines of a trail as JSON, oldest first.
pub(crate) async fn run(stack: &Stack, client: Option<&str>) -> Result<()> {
    let lines = match client {
        Some(id) => {
            let id = ClientId::parse(id)?;
            client::find(stack, &id).await?;
            stack.audit_trail().lines(Trail::Client(&id)).await?
        }
        None => stack.audit_trail().lines(Trail::Stack).await?,
    };
    for line in lines {
        println!("{}", serde_json::to_string(&line)?);
    }
    Ok(())
}
