//! Clients' pictures: PNG files in a private bucket. The SHA-256 of its content is a picture's name, so the content
//! under a name never changes.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;
use enrollment::client::pictures::MAX_BYTES;
use enrollment::ports::StoreError;

use crate::aws::describe;

/// Bucket of pictures.
#[derive(Debug, Clone)]
pub struct Pictures {
    s3: Client,
    bucket: String,
}

impl Pictures {
    /// Pictures in the bucket of that name.
    pub fn new(s3: Client, bucket: impl Into<String>) -> Self {
        Self {
            s3,
            bucket: bucket.into(),
        }
    }

    /// Reads the picture with this hash (64 lower-case hexadecimal digits). `None` where it is not stored or the text
    /// is no hash.
    pub async fn find(&self, hash: &str) -> Result<Option<Vec<u8>>, StoreError> {
        const OPERATION: &str = "reading a picture";
        let unavailable = |detail| StoreError::unavailable(OPERATION, detail);
        if !is_hash(hash) {
            return Ok(None);
        }
        let answer = match self
            .s3
            .get_object()
            .bucket(&self.bucket)
            .key(key(hash))
            .send()
            .await
        {
            Ok(answer) => answer,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetObjectError::is_no_such_key) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(unavailable(describe(&error))),
        };
        let length = answer
            .content_length()
            .and_then(|length| usize::try_from(length).ok());
        if length.is_none_or(|length| length > MAX_BYTES) {
            return Err(StoreError::unreadable(
                OPERATION,
                "it is larger than a picture may be",
            ));
        }
        let body = answer
            .body
            .collect()
            .await
            .map_err(|_| unavailable("it ended too early".into()))?;
        Ok(Some(body.to_vec()))
    }

    /// Stores a picture under its hash. A repeated call changes nothing.
    pub async fn store(&self, hash: &str, png: Vec<u8>) -> Result<(), StoreError> {
        self.s3
            .put_object()
            .bucket(&self.bucket)
            .key(key(hash))
            .content_type("image/png")
            .body(ByteStream::from(png))
            .send()
            .await
            .map_err(|error| StoreError::unavailable("storing a picture", describe(&error)))?;
        Ok(())
    }
}

fn key(hash: &str) -> String {
    format!("{hash}.png")
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_hash_is_looked_up() {
        assert!(is_hash(&"0f".repeat(32)));
        for other in ["", "../secret", &"0F".repeat(32), &"0f".repeat(33)] {
            assert!(!is_hash(other), "{other}");
        }
    }
}
