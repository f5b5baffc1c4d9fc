//! Tables of the shapes that `template.yaml` gives them.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use platform::tables::TableNames;

use crate::endpoints::random_name;

/// Projected attributes of the index of due work.
const OF_ENROLLMENTS: &[&str] = &["schema", "created_at", "status", "ttl", "locked_by"];
const OF_CONFIRMATIONS: &[&str] = &[
    "schema",
    "client",
    "state",
    "attempts",
    "waiting_since",
    "last_failure",
    "reason",
];

const OF_BATCHES: &[&str] = &["schema", "client", "accepted_at", "work", "due_since"];
const OF_DIGITAL_CARDS: &[&str] = &["schema", "client", "requested_at", "state"];

/// Projected attributes of the index of batches by client.
const OF_CLIENTS: &[&str] = &["schema", "stage", "ended_at"];

/// Names that nobody else has.
pub(crate) fn random_names() -> TableNames {
    let name = |table: &str| random_name(&format!("test-{table}"));
    TableNames {
        clients: name("clients"),
        sessions: name("sessions"),
        enrollments: name("enrollments"),
        confirmations: name("confirmations"),
        limits: name("limits"),
        keys: name("keys"),
        batches: name("batches"),
        digital_cards: name("digital-cards"),
    }
}

pub(crate) async fn create(dynamodb: &Client, tables: &TableNames) {
    for table in tables.all() {
        let mut creation = dynamodb
            .create_table()
            .table_name(table)
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(attribute("pk", ScalarAttributeType::S))
            .key_schema(key("pk", KeyType::Hash));
        if table == tables.enrollments {
            creation = creation
                .attribute_definitions(attribute("sk", ScalarAttributeType::S))
                .key_schema(key("sk", KeyType::Range));
        }
        if let Some(projected) = projected(tables, table) {
            creation = creation
                .attribute_definitions(attribute("agenda", ScalarAttributeType::S))
                .attribute_definitions(attribute("agenda_at", ScalarAttributeType::N))
                .global_secondary_indexes(index("agenda", agenda_key(), projected));
        }
        if let Some(projected) = owned(tables, table) {
            creation = creation
                .attribute_definitions(attribute("owner", ScalarAttributeType::S))
                .global_secondary_indexes(index("owner", [key("owner", KeyType::Hash)], projected));
        }
        if table == tables.batches {
            creation = creation
                .attribute_definitions(attribute("client", ScalarAttributeType::S))
                .attribute_definitions(attribute("accepted_at", ScalarAttributeType::N))
                .global_secondary_indexes(index(
                    "client",
                    [key("client", KeyType::Hash), key("accepted_at", KeyType::Range)],
                    OF_CLIENTS,
                ));
        }
        let created = creation.send().await.map_err(aws_sdk_dynamodb::Error::from);
        // Nobody else has the name: an engine that just starts was late with its answer, and the SDK asked again.
        assert!(
            matches!(
                created,
                Ok(_) | Err(aws_sdk_dynamodb::Error::ResourceInUseException(_))
            ),
            "{created:?}"
        );
    }
}

pub(crate) async fn delete(dynamodb: &Client, tables: &TableNames) {
    for table in tables.all() {
        dynamodb.delete_table().table_name(table).send().await.unwrap();
    }
}

fn projected(tables: &TableNames, table: &str) -> Option<&'static [&'static str]> {
    if table == tables.enrollments {
        Some(OF_ENROLLMENTS)
    } else if table == tables.confirmations {
        Some(OF_CONFIRMATIONS)
    } else if table == tables.batches {
        Some(OF_BATCHES)
    } else if table == tables.digital_cards {
        Some(OF_DIGITAL_CARDS)
    } else {
        None
    }
}

/// Projected attributes of the index by customer.
fn owned(tables: &TableNames, table: &str) -> Option<&'static [&'static str]> {
    if table == tables.enrollments {
        Some(&["schema", "status", "agenda", "old_card"])
    } else if table == tables.confirmations {
        Some(&["schema", "card"])
    } else if table == tables.sessions {
        Some(&["schema", "expires_at"])
    } else if table == tables.digital_cards {
        Some(&["schema"])
    } else {
        None
    }
}

fn agenda_key() -> [KeySchemaElement; 2] {
    [key("agenda", KeyType::Hash), key("agenda_at", KeyType::Range)]
}

fn index<const N: usize>(
    name: &str,
    keys: [KeySchemaElement; N],
    projected: &[&str],
) -> GlobalSecondaryIndex {
    let projection = Projection::builder()
        .projection_type(ProjectionType::Include)
        .set_non_key_attributes(Some(projected.iter().map(|name| (*name).to_owned()).collect()))
        .build();
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .set_key_schema(Some(keys.into()))
        .projection(projection)
        .build()
        .unwrap()
}

fn attribute(name: &str, kind: ScalarAttributeType) -> AttributeDefinition {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(kind)
        .build()
        .unwrap()
}

fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder()
        .attribute_name(name)
        .key_type(kind)
        .build()
        .unwrap()
}
