//! The list of states, with a link for each theme and language.

use std::fmt::Write as _;

use enrollment::language::Language;

use super::states::State;
use super::{Preview, THEMES};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color-scheme:light dark}\
     table{border-collapse:collapse;width:100%}td,th{padding:.35rem .75rem .35rem 0;text-align:start;border-bottom:1px solid #8884}\
     td a{margin-inline-end:.75rem}h2{margin-top:2.5rem}";

/// Index of the served preview.
pub(super) fn served(preview: &Preview) -> String {
    write(preview, |language, theme, state| {
        let slug = &preview.client.slug;
        format!(
            "/widget/{slug}/?lang={}&amp;theme={theme}#{}",
            language.to_bcp47(),
            state.fragment()
        )
    })
}

/// Index whose links are made by `address`.
pub(super) fn write(preview: &Preview, address: impl Fn(&Language, &str, &State) -> String) -> String {
    let name = escaped(&preview.client.name);
    let number = &preview.samples.number;
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Preview: {name}</title><style>{STYLE}</style></head>\
         <body><h1>Preview: {name}</h1><p>Every state with sample data. Nothing is sent anywhere. A card number that the form \
         accepts: <code>{number}</code></p>"
    );
    for language in preview.languages() {
        let tag = language.to_bcp47();
        // Writing to a string cannot fail.
        let _ = write!(html, "<h2 id=\"{tag}\">{tag}</h2><table><tbody>");
        for state in preview.states() {
            let _ = write!(html, "<tr><th scope=\"row\">{}</th><td>", state.title);
            for theme in THEMES {
                let _ = write!(
                    html,
                    "<a href=\"{}\">{theme}</a>",
                    address(language, theme, state)
                );
            }
            html.push_str("</td></tr>");
        }
        html.push_str("</tbody></table>");
    }
    html + "</body></html>"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}
