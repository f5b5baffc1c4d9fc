//! Answers of MRS as bytes, in the shape that an order names.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

use super::quote::Quotes;
use super::refusal::Refusal;
use super::soap::{self, FaultStyle};
use super::xml::escape;
use crate::faults::{Answer, Shape};

/// Not ASCII, but in every encoding that is spoken: a document has it in a comment.
const ACCENTED: &str = "<!-- Zürich -->";

/// A thousand million blanks in less than one million bytes: gzip may be several files, one after the other (RFC 1952 §2.2).
static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| gzip(&vec![b' '; 8_000_000]).repeat(125));

/// Writes the result of the work: the content of an answer, or a refusal.
pub(crate) fn answer(shape: Option<Shape>, result: Result<String, Refusal>, quotes: &Quotes) -> Answer {
    match result {
        Ok(content) => success(shape, &content),
        Err(refusal) => refused(shape, &refusal, quotes),
    }
}

/// Writes a refusal; `quotes` are repeated in every place of it.
pub(crate) fn refused(shape: Option<Shape>, refusal: &Refusal, quotes: &Quotes) -> Answer {
    if let Some(body) = shape.and_then(|shape| gateway_error(shape, quotes)) {
        let mut answer = Answer::text(StatusCode::BAD_REQUEST, "application/json", body);
        quotes.add_to(&mut answer.headers);
        return answer;
    }
    let style = match shape {
        Some(Shape::Soap12) => FaultStyle::Soap12,
        Some(Shape::QualifiedFault) => FaultStyle::Qualified,
        Some(Shape::CustomerError) => FaultStyle::Error { prefix: "cus:" },
        Some(Shape::BareError) => FaultStyle::Error { prefix: "" },
        Some(Shape::OwnError) => FaultStyle::Bean,
        Some(Shape::TwoCodes) => FaultStyle::TwoCodes,
        Some(Shape::NoCode) => FaultStyle::NoCode,
        _ => FaultStyle::Plain,
    };
    let status = match shape {
        Some(Shape::Fault200) => StatusCode::OK,
        Some(Shape::Fault400) => StatusCode::BAD_REQUEST,
        // SOAP 1.1 §6.2: a fault comes with 500.
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let mut answer = document(shape, status, &soap::fault(style, refusal, quotes));
    quotes.add_to(&mut answer.headers);
    answer
}

fn success(shape: Option<Shape>, content: &str) -> Answer {
    let content = match shape {
        Some(Shape::Unqualified) => within_root(content, &|members| {
            members.replace("cus:", "").replace("common:", "")
        }),
        Some(Shape::UnknownNamespace) => within_root(content, &|members| {
            members.replace("cus:", "own:").replace("common:", "own:")
        }),
        Some(Shape::Wrapped) => within_root(content, &|members| format!("<return>{members}</return>")),
        Some(Shape::NestedTwice) => within_root(content, &|members| {
            format!("<result><return>{members}</return></result>")
        }),
        Some(Shape::UnknownElement) => content
            .replace("customerAccount>", "account>")
            .replace("referenceId>", "reference>")
            .replace("success>", "done>"),
        Some(Shape::Decorated) => within_root(content, &|members| {
            members.replace(
                "</cus:referenceId>",
                "<!-- a reference --><![CDATA[]]></cus:referenceId>",
            )
        }),
        _ => content.to_owned(),
    };
    document(shape, StatusCode::OK, &content)
}

/// Changes what lies in the one element of an answer. Values can't be mistaken for markup: they are escaped.
fn within_root(content: &str, change: &dyn Fn(&str) -> String) -> String {
    let (Some(start), Some(end)) = (content.find('>'), content.rfind("</")) else {
        return content.to_owned();
    };
    if end <= start {
        return content.to_owned();
    }
    let (root, members) = (&content[..=start], &content[start + 1..end]);
    format!("{root}{}{}", change(members), &content[end..])
}

/// Puts a content into an envelope, and that into bytes.
fn document(shape: Option<Shape>, status: StatusCode, content: &str) -> Answer {
    let Some(shape) = shape else {
        return soap::document(status, soap::envelope(content));
    };
    let body = match shape {
        Shape::EmptyBody => soap::envelope(""),
        Shape::Soap12 => soap::envelope(content).replace(soap::ENVELOPE, soap::ENVELOPE_1_2),
        Shape::OtherPrefixes => soap::envelope(content)
            .replace("soapenv:", "S:")
            .replace("xmlns:soapenv", "xmlns:S")
            .replace("cus:", "ns2:")
            .replace("xmlns:cus", "xmlns:ns2")
            .replace("common:", "ns3:")
            .replace("xmlns:common", "xmlns:ns3"),
        Shape::HeaderBlock => soap::envelope(content).replace(
            "<soapenv:Header/>",
            "<soapenv:Header><w:Security xmlns:w=\"urn:wsse\" soapenv:mustUnderstand=\"1\"><w:Body/></w:Security></soapenv:Header>",
        ),
        Shape::UnknownNamespace => {
            soap::envelope(content).replace("<soapenv:Envelope", "<soapenv:Envelope xmlns:own=\"urn:own\"")
        }
        Shape::Decorated => soap::envelope(content).replace(
            "<soapenv:Envelope",
            "<?xml-stylesheet href=\"a.xsl\"?><!-- an answer --><soapenv:Envelope",
        ),
        Shape::DocumentType => {
            soap::envelope(content).replace("<soapenv:Envelope", "<!DOCTYPE soapenv:Envelope><soapenv:Envelope")
        }
        _ => soap::envelope(content),
    };
    bytes(shape, status, body)
}

fn bytes(shape: Shape, status: StatusCode, document: String) -> Answer {
    let named = |name: &str| {
        document
            .replacen("UTF-8", name, 1)
            .replace("<soapenv:Body>", &format!("{ACCENTED}<soapenv:Body>"))
    };
    let xml = |content_type, body| Answer::bytes(status, content_type, body);
    match shape {
        Shape::Soap12 => xml("application/soap+xml; charset=utf-8", document.into_bytes()),
        Shape::Utf8Name => xml("text/xml", named("UTF8").into_bytes()),
        Shape::UnknownEncoding => xml("text/xml", document.replacen("UTF-8", "IBM037", 1).into_bytes()),
        Shape::ByteOrderMark => xml("text/xml", ["\u{feff}", &document].concat().into_bytes()),
        Shape::Utf16 => {
            let wide = ["\u{feff}", &named("UTF-16")].concat();
            xml(
                "text/xml; charset=utf-16",
                wide.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            )
        }
        Shape::Utf16Be => xml(
            "text/xml",
            named("UTF-16")
                .encode_utf16()
                .flat_map(u16::to_be_bytes)
                .collect(),
        ),
        Shape::Latin1 => xml("text/xml", latin(&named("ISO-8859-1"))),
        Shape::Windows1252 => xml("text/xml", latin(&named("windows-1252"))),
        Shape::Charset => {
            let named = named("");
            let bare = named.split_once("?>").map_or(named.as_str(), |(_, rest)| rest);
            xml("text/xml; charset=ISO-8859-1", latin(bare))
        }
        Shape::Gzip => coded("gzip", xml(soap::CONTENT_TYPE, gzip(document.as_bytes()))),
        Shape::Deflate => coded("deflate", xml(soap::CONTENT_TYPE, zlib(document.as_bytes()))),
        Shape::RawDeflate => coded("deflate", xml(soap::CONTENT_TYPE, deflate(document.as_bytes()))),
        Shape::Bomb => coded("gzip", xml(soap::CONTENT_TYPE, BOMB.clone())),
        Shape::Mtom => xml(MTOM, mime(&document, false)),
        Shape::TwoParts => xml(MTOM, mime(&document, true)),
        Shape::Html => Answer::text(
            StatusCode::OK,
            "text/html",
            "<!DOCTYPE html><html><body>Maintenance</body></html>".to_owned(),
        ),
        Shape::Accepted => Answer::text(StatusCode::ACCEPTED, soap::CONTENT_TYPE, String::new()),
        Shape::NoCloseNotify => {
            let mut answer = soap::document(status, document);
            answer.ends_abruptly = true;
            answer
        }
        _ => soap::document(status, document),
    }
}

const MTOM: &str = "multipart/related; type=\"application/xop+xml\"; start=\"<root@mrs>\"; start-info=\"text/xml\"; \
                    boundary=\"uuid:2f1c\"";

fn mime(document: &str, twice: bool) -> Vec<u8> {
    let mut message = format!(
        "--uuid:2f1c\r\nContent-Type: application/xop+xml;\r\n\tcharset=UTF-8; type=\"text/xml\"\r\n\
         Content-Transfer-Encoding: binary\r\nContent-ID: <root@mrs>\r\n\r\n{document}\r\n"
    );
    if twice {
        message
            .push_str("--uuid:2f1c\r\nContent-Type: image/png\r\nContent-ID: <picture@mrs>\r\n\r\nPNG\r\n");
    }
    message.push_str("--uuid:2f1c--\r\n");
    message.into_bytes()
}

fn coded(coding: &'static str, mut answer: Answer) -> Answer {
    answer
        .headers
        .insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    answer
}

/// Writing to memory does not fail.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// ISO-8859-1, which windows-1252 agrees with in all that is written here; what it does not have becomes `?`.
fn latin(text: &str) -> Vec<u8> {
    text.chars()
        .map(|character| u8::try_from(u32::from(character)).unwrap_or(b'?'))
        .collect()
}

fn gateway_error(shape: Shape, quotes: &Quotes) -> Option<String> {
    let error = json!({
        "Source": "user-management", "ReasonCode": "INVALID_FIELD_FORMAT", "Recoverable": false,
        "Description": format!("A field is not in its format.{quotes}"), "Details": quotes.to_string(),
    });
    let body = match shape {
        Shape::GatewayFlat => error,
        Shape::GatewayList => json!({"Errors": {"Error": [error]}}),
        Shape::GatewayWrapped => json!({"Errors": [{"Error": error}]}),
        _ => return None,
    };
    Some(body.to_string())
}

impl Quotes {
    /// Headers in which a caller may look for the id of its call.
    fn add_to(&self, headers: &mut HeaderMap) {
        let Some(value) = self.header() else { return };
        for name in ["x-correlation-id", "x-mc-correlation-id"] {
            headers.insert(name, value.clone());
        }
    }

    /// One element for each quote.
    pub(super) fn details(&self, prefix: &str) -> String {
        self.iter().fold(String::new(), |mut all, quote| {
            let data = escape(quote);
            let _ = write!(
                all,
                "<{prefix}AdditionalDetails><{prefix}fieldName>value</{prefix}fieldName><{prefix}data>{data}</{prefix}data>\
                 </{prefix}AdditionalDetails>"
            );
            all
        })
    }
}
