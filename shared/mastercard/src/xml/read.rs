use quick_xml::{
    NsReader,
    escape::resolve_predefined_entity,
    events::{BytesDecl, BytesRef, BytesStart, Event},
    name::ResolveResult,
};
use zeroize::Zeroizing;

use super::is_xml_char;

/// The longest document that is read at all, in bytes.
pub(crate) const MAX_BYTES: usize = 256 * 1024;

/// The deepest nesting that is read; an envelope with a signature in its header has about ten levels.
const MAX_DEPTH: usize = 32;

/// An element: its namespace's URI (empty where it has none), local name, own text and child elements.
pub(crate) struct Element {
    namespace: String,
    name: String,
    text: String,
    children: Vec<Element>,
}

/// Reads a document: UTF-8, well-formed, every prefix declared, no DTD, no processing instruction, no entity beyond
/// the five of XML itself. The error names what is wrong with the form, without a byte of the content.
pub(crate) fn parse(bytes: &[u8]) -> Result<Element, &'static str> {
    if bytes.len() > MAX_BYTES {
        return Err("longer than the limit");
    }
    let document = std::str::from_utf8(bytes).map_err(|_| "not UTF-8")?;
    let mut reader = NsReader::from_str(document.trim_start_matches('\u{feff}'));
    // An element of its own for `<a/>` as for `<a></a>`: one way to read both.
    reader.config_mut().expand_empty_elements = true;

    let mut open: Vec<Element> = Vec::new();
    let mut root: Option<Element> = None;
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(|_| "not well-formed")?;
        match event {
            Event::Start(_) if root.is_some() => return Err("more than one root element"),
            Event::Start(_) if open.len() == MAX_DEPTH => return Err("nested too deeply"),
            Event::Start(start) => open.push(Element::start(&namespace, &start)?),
            Event::End(_) => {
                let element = open.pop().ok_or("not well-formed")?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None => root = Some(element),
                }
            }
            Event::Text(text) => append(&mut open, &text.xml10_content())?,
            Event::CData(_) if open.is_empty() => return Err("text outside the root element"),
            Event::CData(text) => append(&mut open, &text.xml10_content())?,
            Event::GeneralRef(reference) => append_reference(&mut open, &reference)?,
            Event::Decl(declaration) => check_encoding(&declaration)?,
            Event::Comment(_) => {}
            Event::DocType(_) => return Err("a document type"),
            Event::PI(_) => return Err("a processing instruction"),
            Event::Empty(_) => return Err("not well-formed"),
            Event::Eof => break,
        }
    }
    // quick-xml leaves elements that are open at the end to its caller.
    if open.is_empty() {
        root.ok_or("no root element")
    } else {
        Err("ends inside an element")
    }
}

impl Element {
    /// Whether this is the element of that namespace and name.
    pub(crate) fn is(&self, namespace: &str, name: &str) -> bool {
        self.name == name && self.namespace == namespace
    }

    /// The child elements in their order.
    pub(crate) fn children(&self) -> &[Element] {
        &self.children
    }

    /// The child elements themselves.
    pub(crate) fn into_children(self) -> Vec<Element> {
        self.children
    }

    /// The one child of that namespace and name; `Ok(None)` where there is none, an error where there are several.
    pub(crate) fn child(&self, namespace: &str, name: &str) -> Result<Option<&Element>, &'static str> {
        let mut found = self.children.iter().filter(|child| child.is(namespace, name));
        let first = found.next();
        if found.next().is_some() {
            Err("an element that may come once came twice")
        } else {
            Ok(first)
        }
    }

    /// The element's text without the white space around it; an error where it has child elements.
    pub(crate) fn text(&self) -> Result<&str, &'static str> {
        if self.children.is_empty() {
            Ok(self.text.trim())
        } else {
            Err("elements where a text belongs")
        }
    }

    /// Every text in the element: `name: text` lines in their order. It is wiped when dropped.
    pub(crate) fn lines(&self) -> Zeroizing<String> {
        let mut lines = Zeroizing::new(String::new());
        self.append_lines(&mut lines);
        lines
    }

    fn append_lines(&self, lines: &mut String) {
        let text = self.text.trim();
        if !text.is_empty() {
            lines.extend([self.name.as_str(), ": ", text, "\n"]);
        }
        for child in &self.children {
            child.append_lines(lines);
        }
    }

    fn start(namespace: &ResolveResult<'_>, start: &BytesStart<'_>) -> Result<Self, &'static str> {
        let namespace = match namespace {
            ResolveResult::Bound(namespace) => namespace.into_inner().to_owned(),
            ResolveResult::Unbound => String::new(),
            ResolveResult::Unknown(_) => return Err("an undeclared prefix"),
        };
        // The reader looks at attributes only when asked; no element read here has one that matters.
        if start.attributes().any(|attribute| attribute.is_err()) {
            return Err("a malformed attribute");
        }
        let name = start.local_name().as_ref().to_owned();
        Ok(Self {
            namespace,
            name,
            text: String::new(),
            children: Vec::new(),
        })
    }
}

fn append(open: &mut [Element], text: &str) -> Result<(), &'static str> {
    if !text.chars().all(is_xml_char) {
        return Err("a character that XML forbids");
    }
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.chars().all(char::is_whitespace) => {}
        None => return Err("text outside the root element"),
    }
    Ok(())
}

fn append_reference(open: &mut [Element], reference: &BytesRef<'_>) -> Result<(), &'static str> {
    let Some(element) = open.last_mut() else {
        return Err("text outside the root element");
    };
    match reference
        .resolve_char_ref()
        .map_err(|_| "a malformed character reference")?
    {
        Some(character) if is_xml_char(character) => element.text.push(character),
        Some(_) => return Err("a character that XML forbids"),
        None => element
            .text
            .push_str(resolve_predefined_entity(reference).ok_or("an entity of its own")?),
    }
    Ok(())
}

fn check_encoding(declaration: &BytesDecl<'_>) -> Result<(), &'static str> {
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(name)) if name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("us-ascii") => {
            Ok(())
        }
        Some(_) => Err("an encoding other than UTF-8"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn error(document: &str) -> &'static str {
        parse(document.as_bytes()).err().unwrap_or("read")
    }

    #[test]
    fn names_are_resolved_and_texts_unescaped() {
        let root = parse(
            b"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?>\n<!-- c --><p:a xmlns:p='urn:p'><b xmlns='urn:b'> x &amp;&#x41;<![CDATA[<y>]]> </b><c/></p:a>\n",
        )
        .unwrap_or_else(|problem| panic!("{problem}"));
        assert!(root.is("urn:p", "a"));
        assert_eq!(root.child("urn:b", "b").unwrap().unwrap().text(), Ok("x &A<y>"));
        assert_eq!(root.child("", "c").unwrap().unwrap().text(), Ok(""));
        assert!(root.child("urn:p", "c").unwrap().is_none());
        assert!(root.text().is_err());
    }

    #[test]
    fn what_could_be_an_attack_is_refused() {
        assert_eq!(
            error("<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>"),
            "a document type"
        );
        assert_eq!(error("<a>&e;</a>"), "an entity of its own");
        assert_eq!(error("<?php x?><a/>"), "a processing instruction");
        assert_eq!(error(&"<a>".repeat(1000)), "nested too deeply");
        assert_eq!(
            error(&format!("<a>{}</a>", " ".repeat(MAX_BYTES))),
            "longer than the limit"
        );
        assert_eq!(error("<a>&#0;</a>"), "a malformed character reference");
        assert_eq!(error("<a>&#8;</a>"), "a character that XML forbids");
        assert_eq!(error("<a>\u{1}</a>"), "a character that XML forbids");
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for document in [
            "",
            "x",
            "<a>",
            "<a></b>",
            "</a>",
            "<a/><b/>",
            "<a/>x",
            "x<a/>",
            "<p:a/>",
            "<a b='1' b='2'/>",
            "<a b/>",
            "<a>&</a>",
            "<a>&amp</a>",
            "<a",
            "<a/>&amp;",
            "<![CDATA[x]]><a/>",
            "<?xml version='1.0' encoding='latin1'?><a/>",
        ] {
            assert_ne!(error(document), "read", "{document}");
        }
        assert_eq!(parse(b"<a>\xff</a>").err(), Some("not UTF-8"));
    }

    #[test]
    fn an_element_that_comes_twice_is_not_chosen_from() {
        let root = parse(b"<a><b>1</b><b>2</b></a>").unwrap_or_else(|problem| panic!("{problem}"));
        assert!(root.child("", "b").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn nothing_that_looks_like_xml_makes_it_panic(document in "[<>/a:&;#!\\[\\]CDATx='\" ?\\-]{0,200}") {
            let _ = parse(document.as_bytes());
        }

        #[test]
        fn what_the_writer_writes_the_reader_reads(text in "[\\PC\u{20}<>&'\"]{0,64}") {
            let mut writer = super::super::Writer::document("r", &[("xmlns", "urn:r")]);
            writer.text("t", &text);
            let document = writer.finish();
            let root = parse(document.as_bytes()).map_err(TestCaseError::fail)?;
            prop_assert_eq!(root.child("urn:r", "t").unwrap().unwrap().text(), Ok(text.trim()));
        }
    }
}
