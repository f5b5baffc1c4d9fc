use serde_json::json;

use super::*;

fn language(tag: &str) -> Language {
    Language::parse(tag).unwrap()
}

fn merged(tag: &str, layers: &[(&str, &Value)]) -> Texts {
    let languages: Vec<_> = layers.iter().map(|(tag, _)| language(tag)).collect();
    let layers: Vec<_> = languages
        .iter()
        .zip(layers)
        .map(|(language, (_, texts))| Layer::of_client(language, texts))
        .collect();
    Texts::merged(&language(tag), &layers)
}

#[test]
fn a_missing_key_shows_the_english_below() {
    let texts = merged("pl", &[("pl", &json!({"register": {"confirm": "Potwierdź"}}))]);
    assert_eq!(texts.text("register.confirm"), "Potwierdź");
    assert_eq!(
        texts.text("success.title"),
        Texts::english().text("success.title")
    );
    assert!(!texts.text("success.title").is_empty());
}

#[test]
fn texts_of_another_language_are_marked() {
    let (polish, german) = (
        json!({"read_more": "Więcej"}),
        json!({"read_more": "Mehr", "error": {"title": "Fehler"}}),
    );
    let texts = merged("pl_PL", &[("pl", &polish), ("de", &german)]);
    assert_eq!(texts.language_of("read_more").as_str(), "pl_PL");
    assert_eq!(texts.language_of("error.title").as_str(), "de");
    assert_eq!(texts.language_of("success.title").as_str(), "en");
    let fallbacks = texts.fallbacks();
    assert_eq!(fallbacks[&language("de")], ["error.title"]);
    assert_eq!(fallbacks[&language("en")].len(), Texts::paths().len() - 2);
}

#[test]
fn another_region_is_no_fallback() {
    let texts = merged("en_GB", &[]);
    assert!(texts.fallbacks().is_empty());
    let texts = merged("zh_Hant", &[("zh_TW", &json!({"read_more": "更多"}))]);
    assert_eq!(texts.language_of("read_more").as_str(), "zh_Hant");
}

#[test]
fn every_key_of_the_widget_document_is_known() {
    let example = json!({
        "register": {"header": "x", "tittle": "x", "accept_terms": "x", "optional": "x", "confirm": "x",
            "userData": {"card_number": "x", "first_name": "x", "last_name": "x", "email": "x"}},
        "error": {"title": "x", "info_first_part": "x", "info_second_part": "x"},
        "success": {"title": "x", "info": "x"},
        "read_more": "x"
    });
    assert!(read_translation(example.to_string().as_bytes()).is_ok());
}

#[test]
fn a_translation_cannot_change_the_shape() {
    let changed = json!({"register": "flat", "success": {"title": {"a": 1}}, "new": "x"});
    assert_eq!(merged("en", &[("en", &changed)]), Texts::english());
}

#[test]
fn texts_that_no_layer_has_are_missing() {
    let english = Texts::english();
    assert_eq!(Texts::missing(&[english.as_json()]), Vec::<String>::new());
    assert_eq!(Texts::missing(&[]), Texts::paths());
    let blank = json!({"read_more": " ", "error": {"title": "Błąd"}});
    let more = json!({"success": {"title": "Sukces"}});
    let missing = Texts::missing(&[&blank, &more]);
    assert_eq!(missing.len(), Texts::paths().len() - 2);
    assert!(missing.contains(&"read_more".to_owned()));
}

/// English texts with a plural.
fn with_plural() -> Value {
    json!({"register": {"header": "Rewards", "tittle": "Join"},
        "info": {"one": "{minutes} minute", "other": "{minutes} minutes"}})
}

/// The texts of [`with_plural`] under one translation.
fn shaped(tag: &str, translation: &Value) -> Texts {
    let (english, language) = (with_plural(), language(tag));
    let below = Language::english();
    let layers = [
        Layer::of_client(&language, translation),
        Layer::of_client(&below, &english),
    ];
    Texts::shaped(&english, &language, &layers)
}

#[test]
fn a_plural_comes_from_one_layer() {
    let polish =
        json!({"info": {"one": "{minutes} minuta", "few": "{minutes} minuty", "other": "{minutes} minuty"}});
    let texts = shaped("pl", &polish);
    assert_eq!(texts.as_json()["info"], polish["info"]);
    assert_eq!(texts.language_of("info").as_str(), "pl");
    for unusable in [
        json!({"info": {"one": " ", "other": "{minutes} minuty"}}),
        json!({"info": {"one": "{minutes} minuta"}}),
        json!({"info": {"dual": "a", "other": "b"}}),
        json!({"info": ["a"]}),
    ] {
        let texts = shaped("pl", &unusable);
        assert_eq!(texts.as_json()["info"], with_plural()["info"], "{unusable}");
        assert_eq!(texts.language_of("info").as_str(), "en");
    }
}

#[test]
fn a_single_text_is_the_only_form_of_a_plural() {
    let texts = shaped("pl", &json!({"info": "dwie minuty"}));
    assert_eq!(texts.as_json()["info"], json!({"other": "dwie minuty"}));
}

#[test]
fn names_are_filled_into_all_texts() {
    let own = json!({"register": {"header": "{client} Gold", "tittle": "Join {program}"},
        "info": {"one": "{client}", "other": "{program}: {minutes}"}});
    let texts = shaped("en", &own).named(Some("Demo Bank"));
    assert_eq!(texts.text("register.header"), "Demo Bank Gold");
    assert_eq!(texts.text("register.tittle"), "Join Demo Bank Gold");
    assert_eq!(
        texts.as_json()["info"],
        json!({"one": "Demo Bank", "other": "Demo Bank Gold: {minutes}"})
    );
}

#[test]
fn a_page_without_client_names_the_program() {
    let own = json!({"register": {"header": "Gold"}, "read_more": "{client}, {program}"});
    let texts = merged("en", &[("en", &own)]).named(None);
    assert_eq!(texts.text("read_more"), "Gold, Gold");
}
