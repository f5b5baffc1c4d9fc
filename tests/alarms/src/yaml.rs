//! A template as JSON: `CloudFormation`'s short tags become the functions that they stand for.

use saphyr::{LoadableYamlNode as _, ScalarOwned, YamlOwned};
use serde_json::{Map, Value, json};

/// Reads a template of one document.
pub(crate) fn read(text: &str) -> Value {
    let documents = YamlOwned::load_from_str(text).expect("YAML");
    let [document] = &documents[..] else {
        panic!("{} documents", documents.len());
    };
    value(document)
}

fn value(node: &YamlOwned) -> Value {
    match node {
        YamlOwned::Value(ScalarOwned::Null) => Value::Null,
        YamlOwned::Value(ScalarOwned::Boolean(flag)) => (*flag).into(),
        YamlOwned::Value(ScalarOwned::Integer(number)) => (*number).into(),
        YamlOwned::Value(ScalarOwned::FloatingPoint(number)) => number.into_inner().into(),
        YamlOwned::Value(ScalarOwned::String(text)) => text.as_str().into(),
        YamlOwned::Sequence(items) => items.iter().map(value).collect(),
        YamlOwned::Mapping(members) => members
            .iter()
            .map(|(name, member)| (name.as_str().expect("a text").to_owned(), value(member)))
            .collect::<Map<_, _>>()
            .into(),
        YamlOwned::Tagged(tag, node) => match &*tag.suffix {
            name @ ("Ref" | "Condition") => json!({ name: value(node) }),
            name => json!({ format!("Fn::{name}"): value(node) }),
        },
        YamlOwned::Representation(..) | YamlOwned::Alias(_) | YamlOwned::BadValue => {
            panic!("{node:?} in a template")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_tags_become_functions() {
        let text = "a: !Ref B\nc: [!GetAtt D.Arn, 1, yes, \"0\", !Not [!Condition E]]\n";
        let expected = json!({
            "a": {"Ref": "B"},
            "c": [{"Fn::GetAtt": "D.Arn"}, 1, "yes", "0", {"Fn::Not": [{"Condition": "E"}]}],
        });
        assert_eq!(read(text), expected);
    }
}
