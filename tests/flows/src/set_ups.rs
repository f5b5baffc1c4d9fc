//! Further clients, stored as the operator's tool stores them.

use enrollment::client::Client;
use enrollment::identifiers::{ClientId, Slug};
use platform::tables::client_setups::{ClientSetups, Stored};
use platform::{SystemClock, SystemRandomness};

use crate::card::random_hex;
use crate::local_aws::{Settings, sdk};
use crate::stack::Stack;

/// Stores a copy of the demo client under a new id and slug, changed.
pub(crate) fn like_demo_but(changes: impl FnOnce(&mut Client)) -> ClientId {
    let set_ups = ClientSetups {
        dynamodb: sdk().dynamodb(),
        table: Settings::read().clients_table,
        randomness: &SystemRandomness,
        clock: &SystemClock,
    };
    let demo = ClientId::parse(&Stack::here().demo.client_id).expect("an id");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let stored = set_ups
            .find(&demo)
            .await
            .expect("the table of clients")
            .expect("the demo client is applied");
        let name = format!("flows-{}", random_hex(8));
        let mut client = stored.client;
        client.id = ClientId::parse(&name).expect("an id");
        client.slug = Slug::parse(&name).expect("a slug");
        changes(&mut client);
        assert_eq!(
            set_ups.store(&client, None).await.expect("the table of clients"),
            Stored::Now
        );
        client.id
    })
}
