use quick_xml::{
    NsReader,
    escape::resolve_predefined_entity,
    events::{BytesRef, BytesStart, Event},
    name::{NamespaceResolver, ResolveResult},
};
use zeroize::Zeroizing;

use super::is_xml_char;

/// Longest document that is read, in bytes of UTF-8: twice the longest answer, since a character of ISO-8859-1 or
/// UTF-16 may take more bytes in UTF-8.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// Deepest nesting that is read. An envelope with a signature in its header has about ten levels.
const MAX_DEPTH: usize = 32;

/// Number of elements that are read: about four thousand accounts.
const MAX_ELEMENTS: usize = 50_000;

/// Number of attributes of one element.
const MAX_ATTRIBUTES: usize = 64;

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Element: URI of its namespace (empty without one), local name, own text and child elements.
pub(crate) struct Element {
    namespace: String,
    name: String,
    text: String,
    /// Whether the element has `xsi:nil="true"`, so no value.
    nil: bool,
    children: Vec<Element>,
}

/// Parses a decoded document. It has to be well-formed, declare every prefix, and have no DTD and no entities beyond
/// XML's own five. Comments are skipped. Processing instructions such as `xml-stylesheet` are skipped before and after
/// the root element, and refused inside (SOAP 1.1 §3). An error describes the fault in the form, without a byte of the
/// content.
pub(crate) fn parse(document: &str) -> Result<Element, &'static str> {
    if document.len() > MAX_BYTES {
        return Err("longer than the limit");
    }
    let document = document.trim_start();
    let mut reader = NsReader::from_str(document);
    // An element of its own for `<a/>` as for `<a></a>`: one way to read both.
    reader.config_mut().expand_empty_elements = true;

    let mut open: Vec<Element> = Vec::new();
    let mut root: Option<Element> = None;
    let mut elements = 0;
    loop {
        let at = reader.buffer_position();
        match reader.read_event().map_err(|_| "not well-formed")? {
            Event::Start(_) if root.is_some() => return Err("more than one root element"),
            Event::Start(_) if open.len() == MAX_DEPTH => return Err("nested too deeply"),
            Event::Start(_) if elements == MAX_ELEMENTS => return Err("too many elements"),
            Event::Start(start) => {
                elements += 1;
                open.push(Element::start(reader.resolver(), &start)?);
            }
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
            // The encoding that it names was looked at when the document was decoded.
            Event::Decl(_) if at == 0 => {}
            Event::Decl(_) => return Err("a declaration that is not at the beginning"),
            Event::Comment(_) => {}
            Event::DocType(_) => return Err("a document type"),
            Event::PI(_) if open.is_empty() => {}
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
    /// Whether the element has this namespace and name.
    pub(crate) fn is(&self, namespace: &str, name: &str) -> bool {
        self.name == name && self.namespace == namespace
    }

    /// Child elements in document order.
    pub(crate) fn children(&self) -> &[Element] {
        &self.children
    }

    /// Child elements, by value.
    pub(crate) fn into_children(self) -> Vec<Element> {
        self.children
    }

    /// Returns the child of this name in one of these namespaces, or in any if none is given. `Ok(None)` without such a
    /// child, an error for several.
    pub(crate) fn child(&self, namespaces: &[&str], name: &str) -> Result<Option<&Element>, &'static str> {
        only(self.children.iter().filter(|child| child.is_in(namespaces, name)))
    }

    /// Returns the descendant of this name in one of these namespaces, or in any if none is given. `Ok(None)` without
    /// such an element, an error for several.
    pub(crate) fn descendant(
        &self,
        namespaces: &[&str],
        name: &str,
    ) -> Result<Option<&Element>, &'static str> {
        let mut found = Vec::new();
        self.collect(namespaces, name, &mut found);
        only(found.into_iter())
    }

    /// Whether the element has this name and one of these namespaces, or any if none is given.
    pub(crate) fn is_in(&self, namespaces: &[&str], name: &str) -> bool {
        self.name == name && (namespaces.is_empty() || namespaces.contains(&self.namespace.as_str()))
    }

    /// Whether the element has text of its own besides white space.
    pub(crate) fn has_text(&self) -> bool {
        !self.text.trim().is_empty()
    }

    /// Whether the element has no value (`xsi:nil`).
    pub(crate) fn is_nil(&self) -> bool {
        self.nil
    }

    /// Returns the element's text without surrounding white space; an error if it has child elements.
    pub(crate) fn text(&self) -> Result<&str, &'static str> {
        if !self.children.is_empty() {
            Err("elements where a text belongs")
        } else if self.nil && self.has_text() {
            Err("a text in an element without value")
        } else {
            Ok(self.text.trim())
        }
    }

    fn collect<'a>(&'a self, namespaces: &[&str], name: &str, found: &mut Vec<&'a Element>) {
        for child in &self.children {
            if child.is_in(namespaces, name) {
                found.push(child);
            }
            child.collect(namespaces, name, found);
        }
    }

    /// Returns all text in the element as lines `name: text`, in document order. It is wiped when dropped.
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

    fn start(resolver: &NamespaceResolver, start: &BytesStart<'_>) -> Result<Self, &'static str> {
        let (namespace, name) = resolver.resolve_element(start.name());
        let namespace = match namespace {
            ResolveResult::Bound(namespace) => namespace.into_inner().to_owned(),
            ResolveResult::Unbound => String::new(),
            ResolveResult::Unknown(_) => return Err("an undeclared prefix"),
        };
        let mut nil = false;
        for (place, attribute) in start.attributes().enumerate() {
            if place == MAX_ATTRIBUTES {
                return Err("too many attributes");
            }
            let attribute = attribute.map_err(|_| "a malformed attribute")?;
            let (namespace, name) = resolver.resolve_attribute(attribute.key);
            match namespace {
                ResolveResult::Unknown(_) => return Err("an undeclared prefix"),
                // No other attribute of an answer changes what it says: `xsi:type`, `encodingStyle`, `id` and the like.
                ResolveResult::Bound(namespace)
                    if namespace.into_inner() == XSI && name.as_ref() == "nil" =>
                {
                    nil = matches!(attribute.value.trim(), "true" | "1");
                }
                _ => {}
            }
        }
        Ok(Self {
            namespace,
            name: name.as_ref().to_owned(),
            text: String::new(),
            nil,
            children: Vec::new(),
        })
    }
}

fn only<'a>(mut found: impl Iterator<Item = &'a Element>) -> Result<Option<&'a Element>, &'static str> {
    let first = found.next();
    if found.next().is_some() {
        Err("an element that may come once came twice")
    } else {
        Ok(first)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn error(document: &str) -> &'static str {
        parse(document).err().unwrap_or("read")
    }

    #[test]
    fn names_are_resolved_and_texts_unescaped() {
        let root = parse(
            "<?xml version='1.0' encoding='utf-8'?><?xml-stylesheet href='a'?>\n<!-- c --><p:a xmlns:p='urn:p'><b xmlns='urn:b'> x &amp;&#x41;<![CDATA[<y>]]> </b><c/></p:a>\n",
        )
        .unwrap_or_else(|problem| panic!("{problem}"));
        assert!(root.is("urn:p", "a"));
        assert_eq!(
            root.child(&["urn:b"], "b").unwrap().unwrap().text(),
            Ok("x &A<y>")
        );
        assert_eq!(root.child(&[""], "c").unwrap().unwrap().text(), Ok(""));
        assert!(root.child(&["urn:p"], "c").unwrap().is_none());
        assert!(root.text().is_err());
    }

    #[test]
    fn attacks_are_refused() {
        assert_eq!(
            error("<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>"),
            "a document type"
        );
        assert_eq!(error("<a>&e;</a>"), "an entity of its own");
        assert_eq!(error("<a><?php x?></a>"), "a processing instruction");
        assert_eq!(error(&"<a>".repeat(1000)), "nested too deeply");
        assert_eq!(
            error(&format!("<a>{}</a>", " ".repeat(MAX_BYTES))),
            "longer than the limit"
        );
        assert_eq!(
            error(&format!("<a>{}</a>", "<b/>".repeat(MAX_ELEMENTS))),
            "too many elements"
        );
        let many = |from: &str, count: usize| {
            (0..count).fold(String::new(), |text, number| {
                text + &from.replace('#', &number.to_string())
            })
        };
        let attributes = many(" b#=''", MAX_ATTRIBUTES + 1);
        assert_eq!(error(&format!("<a{attributes}/>")), "too many attributes");
        let namespaces = many(" xmlns:b#='u'", 1000);
        assert_eq!(error(&format!("<a{namespaces}/>")), "not well-formed");
        assert_eq!(error("<a>&#0;</a>"), "a malformed character reference");
        assert_eq!(error("<a>&#8;</a>"), "a character that XML forbids");
        assert_eq!(error("<a>\u{1}</a>"), "a character that XML forbids");
    }

    #[test]
    fn malformed_documents_are_refused() {
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
            "<a/><?xml version='1.0'?>",
            "<a b:c=''/>",
        ] {
            assert_ne!(error(document), "read", "{document}");
        }
    }

    #[test]
    fn repeated_element_is_an_error() {
        let root = parse("<a><b>1</b><b>2</b></a>").unwrap_or_else(|problem| panic!("{problem}"));
        assert!(root.child(&[""], "b").is_err());
        let root = parse("<a><b><c>1</c></b><c xmlns='urn:c'>2</c></a>")
            .unwrap_or_else(|problem| panic!("{problem}"));
        assert!(root.descendant(&[], "c").is_err());
        assert_eq!(root.descendant(&[""], "c").unwrap().unwrap().text(), Ok("1"));
    }

    #[test]
    fn nil_element_has_no_value() {
        let root = |nil: &str| {
            parse(&format!("<a xmlns:i='{XSI}' i:nil='{nil}' nil='true'/>"))
                .unwrap_or_else(|problem| panic!("{problem}"))
        };
        assert!(root("true").is_nil() && root(" 1 ").is_nil() && !root("false").is_nil());
        let filled = parse(&format!("<a xmlns:i='{XSI}' i:nil='true'>x</a>"))
            .unwrap_or_else(|problem| panic!("{problem}"));
        assert!(filled.text().is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_text_does_not_panic(document in "\\PC{0,200}") {
            let _ = parse(&document);
        }

        #[test]
        fn xml_like_text_does_not_panic(document in "[<>/a:&;#!\\[\\]CDATx='\" ?\\-]{0,200}") {
            let _ = parse(&document);
        }

        #[test]
        fn written_documents_round_trip(text in "[\\PC\u{20}<>&'\"]{0,64}") {
            let mut writer = super::super::Writer::document("r", &[("xmlns", "urn:r")]);
            writer.text("t", &text);
            let document = writer.finish();
            let root = parse(&document).map_err(TestCaseError::fail)?;
            prop_assert_eq!(root.child(&["urn:r"], "t").unwrap().unwrap().text(), Ok(text.trim()));
        }
    }
}
