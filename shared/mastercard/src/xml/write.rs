use quick_xml::escape::{escape, partial_escape};

/// Writer of elements with constant names and untrusted texts.
///
/// Names are `&'static str`, so no input becomes markup. Every text is escaped.
pub(crate) struct Writer {
    out: String,
    open: Vec<&'static str>,
}

impl Writer {
    /// Starts a document with its root element and the root's attributes.
    pub(crate) fn document(root: &'static str, attributes: &[(&'static str, &str)]) -> Self {
        let out = String::from(r#"<?xml version="1.0" encoding="UTF-8"?>"#);
        let mut writer = Self {
            out,
            open: Vec::new(),
        };
        writer.start_tag(root, attributes);
        writer.out.push('>');
        writer.open.push(root);
        writer
    }

    /// Writes an element with the elements that `content` writes.
    pub(crate) fn element(&mut self, name: &'static str, content: impl FnOnce(&mut Self)) {
        self.start_tag(name, &[]);
        self.out.push('>');
        content(self);
        self.end_tag(name);
    }

    /// Writes an element with text.
    pub(crate) fn text(&mut self, name: &'static str, text: &str) {
        self.text_with(name, &[], text);
    }

    /// Writes an element with attributes and text.
    pub(crate) fn text_with(&mut self, name: &'static str, attributes: &[(&'static str, &str)], text: &str) {
        self.start_tag(name, attributes);
        if text.is_empty() {
            self.out.push_str("/>");
            return;
        }
        self.out.push('>');
        // Quotes need no escape in a text: the encrypted pair then looks as the widget document
        // (`docs/sources.md#widget`) shows it.
        self.out.push_str(&partial_escape(text));
        self.end_tag(name);
    }

    /// Writes an element with text, or nothing without a text.
    pub(crate) fn optional(&mut self, name: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// Closes the root and returns the document.
    pub(crate) fn finish(mut self) -> String {
        while let Some(name) = self.open.pop() {
            self.end_tag(name);
        }
        self.out
    }

    fn start_tag(&mut self, name: &'static str, attributes: &[(&'static str, &str)]) {
        self.out.push('<');
        self.out.push_str(name);
        for (attribute, value) in attributes {
            self.out.push(' ');
            self.out.push_str(attribute);
            self.out.push_str("=\"");
            self.out.push_str(&escape(*value));
            self.out.push('"');
        }
    }

    fn end_tag(&mut self, name: &'static str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        let mut writer = Writer::document("r", &[("a", "\"<&")]);
        writer.text("t", "</t><u/>&amp;]]>");
        assert_eq!(
            writer.finish(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><r a=\"&quot;&lt;&amp;\">\
             <t>&lt;/t&gt;&lt;u/&gt;&amp;amp;]]&gt;</t></r>"
        );
    }
}
