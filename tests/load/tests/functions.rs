//! The functions are redirected to another address, and back.

#[cfg(test)]
mod tests {
    use std::panic::{catch_unwind, resume_unwind};

    use flows::call;
    use flows::stack::Stack;
    use http::Request;
    use load::functions::{Redirected, SettingsLock};
    use serde_json::Value;

    const ELSEWHERE: &str = "http://127.0.0.1:9";

    #[test]
    #[ignore = "needs the local stack: cargo xtask test --only load"]
    fn functions_are_redirected_and_restored_after_a_panic() {
        let lock = SettingsLock::wait();
        let before = settings();
        let outcome = catch_unwind(|| {
            let _redirected = Redirected::to(ELSEWHERE, &lock);
            for function in &settings() {
                assert_eq!(function["AWS_ENDPOINT_URL_DYNAMODB"], ELSEWHERE);
                assert_eq!(function["AWS_ENDPOINT_URL_SQS"], ELSEWHERE);
            }
            // Without the words of a panic, which nobody shall take for a failure.
            resume_unwind(Box::new("as a failed test does"));
        });
        assert_eq!(
            outcome.unwrap_err().downcast_ref(),
            Some(&"as a failed test does")
        );
        assert_eq!(settings(), before);
    }

    /// The environment of each function.
    fn settings() -> Vec<Value> {
        let address = format!("{}/2015-03-31/functions/", Stack::here().endpoints.aws);
        let credential = "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/lambda/aws4_request";
        let credential = format!("{credential}, SignedHeaders=host, Signature=0");
        let request = Request::get(address).header("authorization", credential);
        let mut answer = call::send(request.body(Vec::new()).unwrap()).json();
        let functions = answer["Functions"].as_array_mut().unwrap();
        assert!(!functions.is_empty());
        functions
            .iter_mut()
            .map(|function| function["Environment"]["Variables"].take())
            .collect()
    }
}
