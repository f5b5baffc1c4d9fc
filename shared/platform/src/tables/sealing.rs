//! Sealed attributes of items.

use aws_sdk_dynamodb::types::AttributeValue;
use enrollment::identifiers::ClientId;
use enrollment::log::LogText;
use enrollment::ports::StoreError;
use zeroize::Zeroizing;

use super::item::{self, Fields};
use crate::vault::{Location, Purpose, Vault};

/// One item's place in the vault: seals and opens its attributes.
#[derive(Clone, Copy)]
pub(crate) struct Sealing<'a> {
    pub(crate) vault: &'a Vault,
    pub(crate) operation: &'static str,
    pub(crate) client: &'a ClientId,
    pub(crate) purpose: Purpose,
    pub(crate) table: &'static str,
    pub(crate) pk: &'a str,
    pub(crate) sk: &'a str,
}

impl Sealing<'_> {
    pub(crate) async fn seal(
        &self,
        attribute: &'static str,
        plain: &str,
    ) -> Result<AttributeValue, StoreError> {
        self.vault
            .seal(self.client, self.purpose, self.place(attribute), plain.as_bytes())
            .await
            .map(item::bytes)
            .map_err(|error| error.into_store_error(self.operation))
    }

    pub(crate) async fn seal_optional(
        &self,
        attribute: &'static str,
        plain: Option<&str>,
    ) -> Result<Option<AttributeValue>, StoreError> {
        match plain {
            Some(plain) => self.seal(attribute, plain).await.map(Some),
            None => Ok(None),
        }
    }

    /// Opens an attribute and passes it through a checked constructor.
    pub(crate) async fn open<T, E>(
        &self,
        fields: &Fields,
        attribute: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, StoreError> {
        let plain = self.plain(fields, attribute, fields.bytes(attribute)?).await?;
        fields.check(attribute, parse(&plain))
    }

    /// As [`Self::open`], where the attribute may be absent.
    pub(crate) async fn open_optional<T, E>(
        &self,
        fields: &Fields,
        attribute: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, StoreError> {
        let Some(sealed) = fields.optional_bytes(attribute)? else {
            return Ok(None);
        };
        let plain = self.plain(fields, attribute, sealed).await?;
        fields.check(attribute, parse(&plain)).map(Some)
    }

    async fn plain(
        &self,
        fields: &Fields,
        attribute: &'static str,
        sealed: &[u8],
    ) -> Result<Zeroizing<String>, StoreError> {
        let mut opened = self
            .vault
            .open(self.client, self.purpose, self.place(attribute), sealed)
            .await
            .map_err(|error| error.into_store_error(self.operation))?;
        String::from_utf8(std::mem::take(&mut *opened))
            .map(Zeroizing::new)
            .map_err(|_| fields.unreadable(LogText::from(attribute).with("is no text")))
    }

    fn place(&self, attribute: &'static str) -> Location<'_> {
        Location {
            table: self.table,
            pk: self.pk,
            sk: self.sk,
            attribute,
        }
    }
}
