//! Contents of batches in S3: one object for each request, with the JWE that the issuer encrypted for Mastercard. It is
//! unreadable here, and up to 512 KB long, for which an item of `DynamoDB` has no room.
//!
//! An object's name has the client, the batch and the SHA-256 of the request: a repeated request writes the same object again,
//! and another request under the same id does not touch the first one's.

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;
use enrollment::batch::{EncryptedEnrollmentData, MAX_BODY};
use enrollment::ports::{BatchContents, ContentName, StoreError};

use crate::aws::describe;

/// Bucket of contents.
#[derive(Debug, Clone)]
pub struct S3BatchContents {
    s3: Client,
    bucket: String,
}

impl S3BatchContents {
    /// Contents in the bucket of that name.
    pub fn new(s3: Client, bucket: impl Into<String>) -> Self {
        Self {
            s3,
            bucket: bucket.into(),
        }
    }
}

#[async_trait]
impl BatchContents for S3BatchContents {
    async fn put(&self, name: ContentName<'_>, data: &EncryptedEnrollmentData) -> Result<(), StoreError> {
        self.s3
            .put_object()
            .bucket(&self.bucket)
            .key(key(name))
            .content_type("application/jose")
            .body(ByteStream::from(data.expose().as_bytes().to_vec()))
            .send()
            .await
            .map(drop)
            .map_err(|error| StoreError::unavailable("storing a batch's content", describe(&error)))
    }

    async fn get(&self, name: ContentName<'_>) -> Result<Option<EncryptedEnrollmentData>, StoreError> {
        const OPERATION: &str = "reading a batch's content";
        let sent = self
            .s3
            .get_object()
            .bucket(&self.bucket)
            .key(key(name))
            .send()
            .await;
        let answer = match sent {
            Ok(answer) => answer,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetObjectError::is_no_such_key) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(StoreError::unavailable(OPERATION, describe(&error))),
        };
        let length = answer
            .content_length()
            .and_then(|length| usize::try_from(length).ok());
        if length.is_none_or(|length| length > MAX_BODY) {
            return Err(StoreError::unreadable(
                OPERATION,
                "it is larger than a request may be",
            ));
        }
        let body = answer
            .body
            .collect()
            .await
            .map_err(|_| StoreError::unavailable(OPERATION, "it ended too early"))?;
        String::from_utf8(body.to_vec())
            .map(|jwe| Some(EncryptedEnrollmentData::stored(jwe)))
            .map_err(|_| StoreError::unreadable(OPERATION, "it is no text"))
    }

    async fn delete(&self, name: ContentName<'_>) -> Result<(), StoreError> {
        self.s3
            .delete_object()
            .bucket(&self.bucket)
            .key(key(name))
            .send()
            .await
            .map(drop)
            .map_err(|error| StoreError::unavailable("deleting a batch's content", describe(&error)))
    }
}

fn key(name: ContentName<'_>) -> String {
    format!("{}/{}/{}", name.client, name.batch, name.body_hash.to_hex())
}
