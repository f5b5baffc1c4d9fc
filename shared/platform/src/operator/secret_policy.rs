//! Resource policies of secrets: only the functions that need a secret and the operator may read it, whatever IAM
//! allows others (docs/adr/0028).

use serde_json::json;

/// Roles that read a stack's secrets, as the stack's settings name them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretReaders {
    /// `MTLS_READERS`: ARNs of roles that read the client certificate for Mastercard.
    pub mtls: Vec<String>,
    /// `ENCRYPTION_READERS`: ARNs of roles that read the key for card numbers.
    pub encryption: Vec<String>,
    /// `ISSUER_READERS`: ARNs of roles that read the credentials for the Issuer Enrollment API.
    pub issuer: Vec<String>,
    /// `CONFIRMATION_READERS`: ARNs of roles that read clients' confirmation secrets.
    pub confirmation: Vec<String>,
    /// `OPERATOR_ARN`: ARN of the role that runs the operator's tool. An account's `root` stands for everyone whom IAM
    /// allows.
    pub operator: Option<String>,
}

/// Returns the policy of a secret that `readers` read. `None` where the operator is an account's `root`, or no reader
/// is named: then nobody can be denied.
///
/// The policy denies reading only. A principal that manages secrets can remove it, so nobody is locked out.
pub(super) fn policy(readers: &[String], operator: Option<&str>) -> Option<String> {
    let operator = operator.filter(|arn| !arn.ends_with(":root"))?;
    if readers.is_empty() {
        return None;
    }
    let allowed: Vec<String> = readers
        .iter()
        .map(|arn| of_any_replacement(arn))
        .chain([operator.to_owned()])
        .collect();
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "ReadByItsFunctionsAndTheOperator",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "secretsmanager:GetSecretValue",
            "Resource": "*",
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": allowed}},
        }],
    });
    Some(policy.to_string())
}

/// Replaces the random end of a role's name by `*`. `CloudFormation` changes it when a deployment replaces the role,
/// and the new role's functions have to read at once.
fn of_any_replacement(arn: &str) -> String {
    match arn.rsplit_once('-') {
        Some((name, _)) => format!("{name}-*"),
        None => arn.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::123456789012:role/cards-EnrollRole-1A2B3C";
    const OPERATOR: &str = "arn:aws:iam::123456789012:role/operator";

    fn allowed(readers: &[&str], operator: Option<&str>) -> Option<serde_json::Value> {
        let readers: Vec<String> = readers.iter().map(|arn| (*arn).to_owned()).collect();
        let policy: serde_json::Value = serde_json::from_str(&policy(&readers, operator)?).unwrap();
        let statement = &policy["Statement"][0];
        assert_eq!(statement["Effect"], "Deny");
        assert_eq!(statement["Action"], "secretsmanager:GetSecretValue");
        Some(statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"].clone())
    }

    #[test]
    fn only_functions_and_operator_may_read() {
        let expected = json!(["arn:aws:iam::123456789012:role/cards-EnrollRole-*", OPERATOR]);
        assert_eq!(allowed(&[ROLE], Some(OPERATOR)), Some(expected));
    }

    #[test]
    fn no_policy_without_readers_or_operator() {
        assert_eq!(allowed(&[], Some(OPERATOR)), None);
        assert_eq!(allowed(&[ROLE], None), None);
        assert_eq!(allowed(&[ROLE], Some("arn:aws:iam::123456789012:root")), None);
    }
}
