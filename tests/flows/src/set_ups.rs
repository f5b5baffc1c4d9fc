//! Further clients, stored as the operator's tool stores them.

use enrollment::client::Client;
use enrollment::identifiers::{ClientId, Slug};
use platform::secrets::confirmation_name;
use platform::tables::client_setups::{ClientSetups, SetupWrite};
use platform::{SystemClock, SystemRandomness};
use serde_json::json;

use crate::card::random_hex;
use crate::local_aws::{Settings, aws, sdk};
use crate::stack::Stack;

/// Stores a copy of the demo client under a new id and slug, changed.
pub(crate) fn like_demo_but(changes: impl FnOnce(&mut Client)) -> ClientId {
    let demo = ClientId::parse(&Stack::here().demo.client_id).expect("an id");
    let copy = in_the_table(async |set_ups| {
        let stored = set_ups.find(&demo).await.expect("the table of clients");
        let name = format!("flows-{}", random_hex(8));
        let mut client = stored.expect("the demo client is applied").client;
        client.id = ClientId::parse(&name).expect("an id");
        client.slug = Slug::parse(&name).expect("a slug");
        changes(&mut client);
        let outcome = set_ups.store(&client, None).await;
        assert_eq!(outcome.expect("the table of clients"), SetupWrite::Stored);
        client.id
    });
    share_confirmation_secret(&demo, &copy);
    copy
}

/// Changes a stored client.
pub(crate) fn change(client: &str, changes: impl FnOnce(&mut Client)) {
    let id = ClientId::parse(client).expect("an id");
    in_the_table(async |set_ups| {
        let stored = set_ups.find(&id).await.expect("the table of clients");
        let stored = stored.expect("a client of this test");
        let mut client = stored.client.clone();
        changes(&mut client);
        let outcome = set_ups.store(&client, Some(&stored)).await;
        assert_eq!(outcome.expect("the table of clients"), SetupWrite::Stored);
    });
}

/// Copies the demo client's secret, by which the demo partner's receiver verifies.
fn share_confirmation_secret(demo: &ClientId, copy: &ClientId) {
    let name = |client| format!("card-enrollment/local/{}", confirmation_name(client));
    let secret = aws("secretsmanager.GetSecretValue", &json!({"SecretId": name(demo)}));
    aws(
        "secretsmanager.CreateSecret",
        &json!({"Name": name(copy), "SecretString": secret["SecretString"]}),
    );
}

fn in_the_table<T>(work: impl AsyncFnOnce(&ClientSetups<'_>) -> T) -> T {
    let set_ups = ClientSetups {
        dynamodb: sdk().dynamodb(),
        table: Settings::read().clients_table,
        randomness: &SystemRandomness,
        clock: &SystemClock,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(work(&set_ups))
}
