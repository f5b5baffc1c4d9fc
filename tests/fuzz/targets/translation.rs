//! A client's translation over the built-in texts: it changes texts, never their structure.

#![no_main]

use enrollment::language::Language;
use enrollment::texts::{Layer, Texts, read_translation, review};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|file: &[u8]| {
    let checked = read_translation(file);
    let polish = Language::parse("pl").expect("a language");
    if let Ok(translation) = &checked {
        assert!(translation.is_object());
        let (english, texts) = (Texts::english(), under(translation));
        let missing = Texts::missing(&[translation]);
        assert!(missing.iter().all(|path| texts.text(path) == english.text(path)));
        review(&polish, translation, &[]);
    }
    let Ok(translation) = serde_json::from_slice::<Value>(file) else {
        return;
    };
    if let Ok(checked) = checked {
        // Notes for the translator are dropped.
        assert_eq!(
            read_translation(checked.to_string().as_bytes()).as_ref(),
            Ok(&checked)
        );
    }
    let texts = under(&translation);
    assert_same_shape(texts.as_json(), Texts::english().as_json());
    assert_eq!(under(texts.as_json()).as_json(), texts.as_json());
    assert!(Texts::missing(&[texts.as_json()]).is_empty());
    let marked = Texts::merged(&polish, &[Layer::of_client(&polish, &translation)]);
    for paths in marked.fallbacks().values() {
        assert!(
            paths
                .iter()
                .all(|path| texts.text(path) == Texts::english().text(path))
        );
    }
    let _ = marked.named(Some("{program}"));
    if texts == Texts::english() {
        return;
    }
    assert!(translation.is_object(), "only an object translates anything");
});

fn under(translation: &Value) -> Texts {
    let english = Language::english();
    Texts::merged(&english, &[Layer::of_client(&english, translation)])
}

fn assert_same_shape(one: &Value, other: &Value) {
    match (one, other) {
        (Value::Object(forms), Value::Object(english)) if english.contains_key("other") => {
            assert!(forms.contains_key("other"));
            assert!(
                forms
                    .values()
                    .all(|form| form.as_str().is_some_and(|form| !form.trim().is_empty()))
            );
        }
        (Value::Object(one), Value::Object(other)) => {
            assert!(one.keys().eq(other.keys()));
            for (value, other) in one.values().zip(other.values()) {
                assert_same_shape(value, other);
            }
        }
        (Value::String(text), Value::String(_)) => assert!(!text.trim().is_empty()),
        _ => panic!("a text became something else"),
    }
}
