//! Reads a small XML document into a tree, with namespaces resolved and everything refused that a SOAP message
//! has no use for.

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::{NsReader, XmlVersion};
use zeroize::Zeroize;

/// A SOAP envelope needs 5 levels, a WS-Security header some more.
const MAX_DEPTH: usize = 32;
/// `enroll` with every optional field has about 80.
const MAX_ELEMENTS: usize = 1_000;

/// One element. It may hold a customer's data: it has no `Debug` and wipes its text when dropped.
pub(crate) struct Element {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) children: Vec<Element>,
    /// All character data directly in this element, in order.
    pub(crate) text: String,
}

/// One attribute; `namespace` is empty for one without a prefix. `xmlns` declarations are not kept.
pub(crate) struct Attribute {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) value: String,
}

/// Reason for which a document can't be read. Quotes nothing of its content.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Malformed {
    #[error("the document is not UTF-8")]
    NotUtf8,
    #[error("the document is not well-formed XML")]
    Syntax,
    #[error("a document type definition is not allowed")]
    DocumentType,
    #[error("a processing instruction is not allowed")]
    ProcessingInstruction,
    #[error("an entity other than the five of XML is not allowed")]
    Entity,
    #[error("a namespace prefix is not declared")]
    Prefix,
    #[error("the document is nested too deeply")]
    TooDeep,
    #[error("the document has too many elements")]
    TooManyElements,
    #[error("the document does not have exactly one root element")]
    Root,
}

/// Reads a whole document.
pub(crate) fn read(document: &[u8]) -> Result<Element, Malformed> {
    let document = std::str::from_utf8(document).map_err(|_| Malformed::NotUtf8)?;
    let document = document.strip_prefix('\u{feff}').unwrap_or(document);
    let mut reader = NsReader::from_str(document);
    reader.config_mut().expand_empty_elements = true;
    reader.config_mut().check_comments = true;
    let mut tree = Tree::default();
    loop {
        match reader.read_event().map_err(|_| Malformed::Syntax)? {
            Event::Start(start) => {
                let element = element(&reader, &start)?;
                tree.open(element)?;
            }
            Event::End(_) => tree.close()?,
            // `expand_empty_elements` turns these into a start and an end.
            Event::Empty(_) => return Err(Malformed::Syntax),
            Event::Text(text) => tree.text(&text.xml10_content())?,
            Event::CData(data) => tree.text(&data.xml10_content())?,
            Event::GeneralRef(reference) => tree.text(character(&reference)?.encode_utf8(&mut [0; 4]))?,
            Event::Comment(_) => {}
            Event::Decl(declaration) => {
                if declaration
                    .encoding()
                    .is_some_and(|e| !e.is_ok_and(|e| e.eq_ignore_ascii_case("utf-8")))
                {
                    return Err(Malformed::NotUtf8);
                }
            }
            Event::DocType(_) => return Err(Malformed::DocumentType),
            Event::PI(_) => return Err(Malformed::ProcessingInstruction),
            Event::Eof => return tree.finish(),
        }
    }
}

/// Writes character data so that it can stand in an element or an attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => escaped.push(character),
            // XML 1.0 has no way to write these at all.
            character if character.is_control() => escaped.push('\u{fffd}'),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            character => escaped.push(character),
        }
    }
    escaped
}

impl Element {
    pub(crate) fn is(&self, namespace: &str, name: &str) -> bool {
        self.namespace == namespace && self.name == name
    }

    /// Whether there is character data between the children, other than white space.
    pub(crate) fn has_stray_text(&self) -> bool {
        !self.text.chars().all(|c| matches!(c, ' ' | '\t' | '\r' | '\n'))
    }
}

impl Drop for Element {
    fn drop(&mut self) {
        self.text.zeroize();
    }
}

#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    fn open(&mut self, element: Element) -> Result<(), Malformed> {
        self.elements += 1;
        if self.open.len() == MAX_DEPTH {
            return Err(Malformed::TooDeep);
        }
        if self.elements > MAX_ELEMENTS {
            return Err(Malformed::TooManyElements);
        }
        self.open.push(element);
        Ok(())
    }

    fn close(&mut self) -> Result<(), Malformed> {
        let closed = self.open.pop().ok_or(Malformed::Syntax)?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(closed),
            None if self.root.is_none() => self.root = Some(closed),
            None => return Err(Malformed::Root),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Malformed> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(Malformed::Syntax),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, Malformed> {
        if !self.open.is_empty() {
            return Err(Malformed::Syntax);
        }
        self.root.ok_or(Malformed::Root)
    }
}

fn element(reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<Element, Malformed> {
    let (namespace, name) = reader.resolver().resolve_element(start.name());
    let namespace = uri(&namespace)?;
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| Malformed::Syntax)?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let (namespace, name) = reader.resolver().resolve_attribute(attribute.key);
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|_| Malformed::Entity)?;
        attributes.push(Attribute {
            namespace: uri(&namespace)?,
            name: name.into_inner().to_owned(),
            value: value.into_owned(),
        });
    }
    Ok(Element {
        namespace,
        name: name.into_inner().to_owned(),
        attributes,
        children: Vec::new(),
        text: String::new(),
    })
}

fn uri(resolved: &ResolveResult<'_>) -> Result<String, Malformed> {
    match resolved {
        ResolveResult::Bound(namespace) => Ok(namespace.into_inner().to_owned()),
        ResolveResult::Unbound => Ok(String::new()),
        ResolveResult::Unknown(_) => Err(Malformed::Prefix),
    }
}

fn character(reference: &BytesRef<'_>) -> Result<char, Malformed> {
    if let Some(character) = reference.resolve_char_ref().map_err(|_| Malformed::Entity)? {
        return Ok(character);
    }
    match reference.xml10_content().as_ref() {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(Malformed::Entity),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn namespaces_are_resolved_whatever_the_prefix() {
        let root =
            read(br#"<?xml version="1.0" encoding="UTF-8"?><a:x xmlns:a="u1"><y xmlns="u2" z="1"/></a:x>"#);
        let root = root.unwrap();
        assert!(root.is("u1", "x"));
        assert!(root.children[0].is("u2", "y"));
        assert_eq!(root.children[0].attributes[0].namespace, "");
        assert_eq!(root.children[0].attributes[0].value, "1");
    }

    #[test]
    fn text_references_and_cdata_are_joined() {
        let root = read(b"<x>a&amp;b&#33;<![CDATA[<c>]]><!-- not this --></x>").unwrap();
        assert_eq!(root.text, "a&b!<c>");
    }

    #[test]
    fn what_a_soap_message_has_no_use_for_is_refused() {
        let cases: [(&[u8], Malformed); 10] = [
            (
                b"<!DOCTYPE x [<!ENTITY e 'v'>]><x>&e;</x>",
                Malformed::DocumentType,
            ),
            (b"<x>&e;</x>", Malformed::Entity),
            (b"<x><?php ?></x>", Malformed::ProcessingInstruction),
            (b"<a:x/>", Malformed::Prefix),
            (b"<x>", Malformed::Syntax),
            (b"<x></y>", Malformed::Syntax),
            (b"<x/><y/>", Malformed::Root),
            (b"", Malformed::Root),
            (b"<x>\xff</x>", Malformed::NotUtf8),
            (
                b"<?xml version='1.0' encoding='iso-8859-1'?><x/>",
                Malformed::NotUtf8,
            ),
        ];
        for (document, why) in cases {
            assert_eq!(
                read(document).err(),
                Some(why),
                "{}",
                String::from_utf8_lossy(document)
            );
        }
    }

    #[test]
    fn depth_and_number_of_elements_are_bounded() {
        let deep = "<x>".repeat(MAX_DEPTH + 1) + &"</x>".repeat(MAX_DEPTH + 1);
        assert_eq!(read(deep.as_bytes()).err(), Some(Malformed::TooDeep));
        let wide = format!("<x>{}</x>", "<y/>".repeat(MAX_ELEMENTS));
        assert_eq!(read(wide.as_bytes()).err(), Some(Malformed::TooManyElements));
    }

    proptest! {
        #[test]
        fn reading_never_panics_on_arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
            let _ = read(&bytes);
        }

        #[test]
        fn reading_never_panics_on_what_looks_like_xml(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "<a>", "</a>", "<a:b ", "xmlns:a='u' ", "xmlns=''", "/>", ">", "<![CDATA[", "]]>", "&amp;",
                    "&#x0;", "&#1114112;", "&", ";", "<!--", "-->", "<?xml version='1.0'?>", "<!DOCTYPE a>", "'", "\"",
                    "\u{0}", "é",
                ]),
                0..40,
            )
        ) {
            let _ = read(parts.concat().as_bytes());
        }

        #[test]
        fn what_was_escaped_is_read_back(text in "[^\\p{Cc}\u{fffe}\u{ffff}]*") {
            let root = read(format!("<x a=\"{0}\">{0}</x>", escape(&text)).as_bytes()).unwrap();
            prop_assert_eq!(&root.text, &text);
            prop_assert_eq!(&root.attributes[0].value, &text);
        }
    }
}
