//! The preview as files. They open from a folder: without integrity values and headers, which need a server, and with a script
//! that answers the page's calls.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value, json};

use super::sample::{self, Sample, Samples};
use super::states::{Opening, State};
use super::{Preview, THEMES, index};
use widget_page::parts::{ICON, SCRIPT, STYLE};

/// Script that answers in place of the service.
const SCRIPT_FILE: &str = "preview.js";

/// Writes all files into a new folder, and returns the number of pages.
pub(super) fn write(preview: &Preview, folder: &Path) -> Result<usize> {
    ensure!(
        folder.symlink_metadata().is_err(),
        "{} already exists; nothing was written",
        folder.display()
    );
    let save = |name: &str, content: &[u8]| {
        let file = folder.join(name);
        fs::write(&file, content).with_context(|| format!("can't write {}", file.display()))
    };
    fs::create_dir_all(folder).with_context(|| format!("can't create {}", folder.display()))?;
    for part in [SCRIPT, STYLE, ICON] {
        save(part.name, part.bytes)?;
    }
    for (hash, png) in &preview.pictures {
        save(&format!("{hash}.png"), png)?;
    }
    save(SCRIPT_FILE, script(preview).as_bytes())?;
    let mut count = 0;
    for language in preview.languages() {
        for theme in THEMES {
            let query = [("lang", language.to_bcp47()), ("theme", theme.to_owned())];
            let query = query.map(|(name, value)| (name.to_owned(), value));
            let html = preview.page(&query)?.html;
            save(
                &page_name(&language.to_bcp47(), theme),
                standalone(preview, &html).as_bytes(),
            )?;
            count += 1;
        }
    }
    let links = index::write(preview, |language, theme, state| {
        format!("{}#{}", page_name(&language.to_bcp47(), theme), state.fragment())
    });
    save("index.html", links.as_bytes())?;
    Ok(count)
}

fn page_name(language: &str, theme: &str) -> String {
    format!("{language}-{theme}.html")
}

/// The page with addresses of this folder. Browsers refuse integrity values of local files.
fn standalone(preview: &Preview, html: &str) -> String {
    let base = preview.base.as_str();
    let mut html = html
        .replace(&format!("{base}/widget/assets/"), "")
        .replace(&format!("{base}/widget/{}/pictures/", preview.client.slug), "");
    for part in [SCRIPT, STYLE] {
        html = html.replace(&format!(" integrity=\"{}\"", part.integrity), "");
    }
    html.replacen(
        "<script ",
        &format!("<script src=\"{SCRIPT_FILE}\"></script>\n<script "),
        1,
    )
}

/// `fetch` of the page's calls: answers by state, with times from the moment of the call.
fn script(preview: &Preview) -> String {
    let states: Map<String, Value> = preview
        .states()
        .map(|state| (state.session(), answers(&preview.samples, state)))
        .collect();
    let states = Value::Object(states).to_string().replace('<', "\\u003c");
    format!(
        "// Answers the calls of the page with samples.\n\
         const STATES = {states};\n\
         window.fetch = (address, request) => {{\n  \
           const state = STATES[request.headers.Authorization.slice('Bearer '.length)];\n  \
           const path = new URL(address, 'http://preview').pathname.split('/widget/api/')[1];\n  \
           const isExtension = path.endsWith('/extension');\n  \
           const wrongAction = {{ status: 403, headers: {{ 'session-action': state.action }}, body: {{ status: 'ACCESS_DENIED' }} }};\n  \
           const right = isExtension ? state.extension : request.method === 'GET' ? state.get : state.post;\n  \
           const sample = path.split('/')[0] === state.path ? right : wrongAction;\n  \
           if (!sample) return new Promise(() => {{}});\n  \
           const now = Math.floor(Date.now() / 1000);\n  \
           const body = {{ ...sample.body, ...('expiresAt' in sample.body && {{ expiresAt: now + sample.body.expiresAt }}) }};\n  \
           const headers = {{ ...sample.headers, Date: new Date(now * 1000).toUTCString() }};\n  \
           return Promise.resolve(new Response(JSON.stringify(body), {{ status: sample.status, headers }}));\n\
         }};\n"
    )
}

/// Answers of one state; `expiresAt` counts from the call.
fn answers(samples: &Samples, state: &State) -> Value {
    let given = |sample: Option<Sample>| {
        sample.map(|sample| {
            let headers: Map<String, Value> = sample
                .headers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect();
            json!({"status": sample.status, "headers": headers, "body": sample.body})
        })
    };
    let (get, post, extension) = match state.opening {
        Opening::Form(form, answer) => (
            Some(json!({"status": 200, "headers": {}, "body": samples.form(state.action, form, 0)})),
            given(samples.answer(state.action, answer)),
            given(Some(Samples::extension(form, 0))),
        ),
        Opening::Answer(answer) => (
            given(samples.answer(state.action, answer)),
            given(samples.answer(state.action, answer)),
            None,
        ),
        Opening::Fragment(_) => (None, None, None),
    };
    json!({
        "action": state.action.as_str(), "path": sample::path(state.action),
        "get": get, "post": post, "extension": extension,
    })
}
