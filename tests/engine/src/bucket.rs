//! A bucket of a test's own in the local AWS.

use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use platform::batch_contents::S3BatchContents;

use crate::endpoints::{local_aws, random_name};

/// Creates a bucket that nobody else has, and gives its name.
pub(crate) async fn create() -> String {
    let name = random_name("test-batches");
    let region = BucketLocationConstraint::EuCentral1;
    let configuration = CreateBucketConfiguration::builder().location_constraint(region);
    local_aws()
        .s3()
        .create_bucket()
        .bucket(&name)
        .create_bucket_configuration(configuration.build())
        .send()
        .await
        .unwrap();
    name
}

/// Contents of batches in a bucket.
pub(crate) fn contents(name: &str) -> S3BatchContents {
    S3BatchContents::new(local_aws().s3(), name)
}

/// Deletes a bucket with its objects.
pub(crate) async fn delete(name: &str) {
    let s3 = local_aws().s3();
    let listed = s3.list_objects_v2().bucket(name).send().await.unwrap();
    for object in listed.contents() {
        let key = object.key().expect("an object has a key");
        s3.delete_object().bucket(name).key(key).send().await.unwrap();
    }
    s3.delete_bucket().bucket(name).send().await.unwrap();
}
