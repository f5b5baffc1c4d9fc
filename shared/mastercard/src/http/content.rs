//! Content codings of an answer (RFC 9110 §8.4). The client asks for none; a coding that is applied all the same is
//! removed, within a limit.

use std::borrow::Cow;
use std::io::Read;

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

/// Number of codings that may be applied to one body.
const MAX_CODINGS: usize = 4;

/// Removes the codings of `Content-Encoding` from a body, the last one first. `max_bytes` limits the output of each.
pub(crate) fn decode<'a>(
    headers: &HeaderMap,
    body: &'a [u8],
    max_bytes: usize,
) -> Result<Cow<'a, [u8]>, &'static str> {
    let mut codings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        let value = value.to_str().map_err(|_| "a content coding that is not known")?;
        codings.extend(
            value
                .split(',')
                .map(str::trim)
                .filter(|coding| !coding.is_empty()),
        );
    }
    if codings.len() > MAX_CODINGS {
        return Err("too many content codings");
    }
    let mut body = Cow::Borrowed(body);
    for coding in codings.iter().rev() {
        body = match coding.to_ascii_lowercase().as_str() {
            "identity" => body,
            "gzip" | "x-gzip" => Cow::Owned(inflate(MultiGzDecoder::new(&*body), max_bytes)?),
            // RFC 9110 means zlib's format; some send the bare one.
            "deflate" if is_zlib(&body) => Cow::Owned(inflate(ZlibDecoder::new(&*body), max_bytes)?),
            "deflate" => Cow::Owned(inflate(DeflateDecoder::new(&*body), max_bytes)?),
            _ => return Err("a content coding that is not known"),
        };
    }
    Ok(body)
}

/// Decompresses a body. A missing checksum or end is an error, so that a truncated body is never used.
fn inflate(decoder: impl Read, max_bytes: usize) -> Result<Vec<u8>, &'static str> {
    let mut body = Vec::new();
    let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX).saturating_add(1);
    decoder
        .take(limit)
        .read_to_end(&mut body)
        .map_err(|_| "a body that can't be decompressed")?;
    if body.len() > max_bytes {
        return Err("longer than the limit when decompressed");
    }
    Ok(body)
}

/// Whether the data has a zlib header (RFC 1950 §2.2): method 8, and a first pair of bytes that is a multiple of 31.
fn is_zlib(body: &[u8]) -> bool {
    let [first, second, ..] = body else { return false };
    first & 0x0f == 8 && u16::from_be_bytes([*first, *second]).is_multiple_of(31)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    use super::*;

    const TEXT: &[u8] = b"<a>an answer, an answer, an answer</a>";
    const LIMIT: usize = 1024;

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(body: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    fn raw(body: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    fn read(codings: &[&str], body: &[u8]) -> Result<Vec<u8>, &'static str> {
        let mut headers = HeaderMap::new();
        for coding in codings {
            headers.append(CONTENT_ENCODING, HeaderValue::from_str(coding).unwrap());
        }
        decode(&headers, body, LIMIT).map(Cow::into_owned)
    }

    #[test]
    fn each_coding_is_removed() {
        for (codings, body) in [
            (&[][..], TEXT.to_vec()),
            (&[""], TEXT.to_vec()),
            (&["identity"], TEXT.to_vec()),
            (&["gzip"], gzip(TEXT)),
            (&["X-GZip"], gzip(TEXT)),
            (&["deflate"], zlib(TEXT)),
            (&["deflate"], raw(TEXT)),
            (&["deflate, identity, gzip"], gzip(&zlib(TEXT))),
            (&["deflate", "gzip"], gzip(&raw(TEXT))),
        ] {
            assert_eq!(read(codings, &body).as_deref(), Ok(TEXT), "{codings:?}");
        }
    }

    #[test]
    fn truncated_body_is_refused() {
        for (coding, body) in [
            ("gzip", gzip(TEXT)),
            ("deflate", zlib(TEXT)),
            ("deflate", raw(TEXT)),
        ] {
            for end in 1..body.len() {
                assert!(read(&[coding], &body[..end]).is_err(), "{coding} {end}");
            }
        }
    }

    #[test]
    fn gigabyte_is_refused() {
        // A file of gzip may be several, one after the other (RFC 1952 §2.2).
        let bomb = gzip(&vec![0; 1 << 20]).repeat(1024);
        assert!(bomb.len() < 2 << 20);
        assert_eq!(
            read(&["gzip"], &bomb),
            Err("longer than the limit when decompressed")
        );
    }

    #[test]
    fn unknown_coding_is_refused() {
        for coding in ["br", "zstd", "compress", "gzip;q=1", "gzip gzip"] {
            assert_eq!(
                read(&[coding], TEXT),
                Err("a content coding that is not known"),
                "{coding}"
            );
        }
        assert_eq!(
            read(&["gzip,gzip,gzip,gzip,gzip"], TEXT),
            Err("too many content codings")
        );
        assert!(read(&["gzip"], TEXT).is_err());
    }

    proptest! {
        #[test]
        fn encoded_body_round_trips(body in proptest::collection::vec(any::<u8>(), 0..LIMIT)) {
            prop_assert_eq!(read(&["gzip"], &gzip(&body)), Ok(body.clone()));
            prop_assert_eq!(read(&["deflate"], &zlib(&body)), Ok(body));
        }

        #[test]
        fn arbitrary_bytes_do_not_panic(
            coding in prop::sample::select(vec!["gzip", "deflate", "gzip, deflate"]),
            body in proptest::collection::vec(any::<u8>(), 0..256),
        ) {
            prop_assert!(read(&[coding], &body).is_ok_and(|body| body.len() <= LIMIT) || read(&[coding], &body).is_err());
        }
    }
}
