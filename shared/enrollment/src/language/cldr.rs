//! Likely subtags (UTS 35 §4.3) and replaced codes, from a table that `cldr.mjs` writes.

const TABLE: &str = include_str!("cldr.txt");

/// Language, script and region of a tag, in the case of RFC 5646 §2.1.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subtags {
    pub(super) language: String,
    pub(super) script: Option<String>,
    pub(super) region: Option<String>,
}

impl Subtags {
    /// Replaces retired codes: `iw` by `he`, `sh` by `sr` in Latin script, `UK` by `GB`.
    pub(super) fn canonical(mut self) -> Self {
        // `nor` stands for `no`, and that for `nb`.
        while let Some(now) = replacement(&self.language) {
            let mut subtags = now.split('-');
            self.language = subtags.next().unwrap_or_default().to_owned();
            for subtag in subtags {
                let place = if subtag.len() == 4 {
                    &mut self.script
                } else {
                    &mut self.region
                };
                place.get_or_insert_with(|| subtag.to_owned());
            }
        }
        if let Some(now) = self.region.as_deref().and_then(replacement) {
            self.region = Some(now.to_owned());
        }
        self
    }

    /// Adds the script and the region that the others make likely: `zh-TW` is `zh-Hant-TW`. A language that the table
    /// lacks stays as it is.
    pub(super) fn maximized(&self) -> Self {
        let Self {
            language,
            script,
            region,
        } = self;
        let found = match (script, region) {
            (Some(_), Some(_)) => None,
            (None, Some(region)) => likely(&format!("{language}-{region}")).or_else(|| likely(language)),
            (Some(script), None) => likely(&format!("{language}-{script}"))
                .or_else(|| likely(language).filter(|(usual, _)| usual == script)),
            (None, None) => likely(language),
        };
        let (likely_script, likely_region) = found.unzip();
        Self {
            language: language.clone(),
            script: script.clone().or(likely_script.map(str::to_owned)),
            region: region.clone().or(likely_region.map(str::to_owned)),
        }
    }
}

/// Script and region that belong to `tag`.
fn likely(tag: &str) -> Option<(&'static str, &'static str)> {
    line(tag)?.split_once(' ')
}

/// Returns the code that replaced `old`.
fn replacement(old: &str) -> Option<&'static str> {
    line(old)?.strip_prefix("= ")
}

/// The rest of the line that begins with this word.
fn line(word: &str) -> Option<&'static str> {
    TABLE
        .lines()
        .find_map(|line| line.strip_prefix(word)?.strip_prefix(' '))
}
