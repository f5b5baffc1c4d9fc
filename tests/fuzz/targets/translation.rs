//! A client's translation over the built-in texts: it changes texts, never their structure.

#![no_main]

use enrollment::texts::{Texts, read_translation};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|file: &[u8]| {
    let checked = read_translation(file);
    if let Ok(translation) = &checked {
        assert!(translation.is_object());
        let (built_in, texts) = (Texts::built_in(), Texts::built_in().under(translation));
        let missing = Texts::missing(&[translation]);
        assert!(missing.iter().all(|path| texts.text(path) == built_in.text(path)));
    }
    let Ok(translation) = serde_json::from_slice::<Value>(file) else {
        return;
    };
    if let Ok(checked) = checked {
        assert_eq!(checked, translation);
    }
    let texts = Texts::built_in().under(&translation);
    assert_same_shape(texts.as_json(), Texts::built_in().as_json());
    assert_eq!(texts.clone().under(&translation), texts);
    assert_eq!(Texts::built_in().under(texts.as_json()), texts);
    assert_eq!(Texts::unknown_keys(texts.as_json()), Vec::<String>::new());
    if texts == Texts::built_in() {
        return;
    }
    assert!(translation.is_object(), "only an object translates anything");
});

fn assert_same_shape(one: &Value, other: &Value) {
    match (one, other) {
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
