//! OAuth 1.0a by hand: base strings, signatures and their check, for whoever looks for the difference.

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, bail};
use enrollment::clock::Clock as _;
use enrollment::randomness::Randomness as _;
use mastercard::http::Url;
use mastercard::oauth1::{
    Acceptable, BodyHash, Header, SignatureMethod, Signer, Stamp, VerifyError, base_string, verify,
};
use platform::{SystemClock, SystemRandomness};

use crate::arguments::oauth::{Caller, OAuthCommand, SignedRequest};
use crate::{files, key_files};

/// Longest body, and longest answer of a gateway, in bytes.
const MAX_BODY: u64 = 16 * 1024 * 1024;

/// Runs a command of `enrollctl oauth`.
pub(crate) fn run(command: OAuthCommand) -> Result<ExitCode> {
    let mut inputs = files::Inputs::default();
    match command {
        OAuthCommand::BaseString {
            request,
            caller,
            gateway,
        } => print_base_string(&mut inputs, &request, &caller, gateway.as_deref()),
        OAuthCommand::Sign {
            request,
            caller,
            key,
            password_file,
        } => {
            inputs.claim(&key)?;
            let key = key_files::private_key(&key, password_file.as_deref())?;
            let request = Request::read(&mut inputs, &request)?;
            let caller = Identity::read(&mut inputs, &caller, None)?;
            let signer = Signer::new(&caller.consumer_key, key)?.with_method(caller.method);
            let stamp = Stamp::new(&caller.nonce, caller.timestamp)?;
            let header = signer.authorization(&request.method, &request.url, &request.body, &stamp)?;
            println!("{}", header.as_str());
            Ok(ExitCode::SUCCESS)
        }
        OAuthCommand::Verify { request, key, header } => {
            inputs.claim(&key)?;
            let key = key_files::public_key(&key)?;
            let request = Request::read(&mut inputs, &request)?;
            let header = inputs.value(&header)?;
            // Copied with its name.
            let value = header
                .split_once(':')
                .filter(|(name, _)| name.trim().eq_ignore_ascii_case("authorization"))
                .map_or(header.as_str(), |(_, value)| value);
            let result = Header::parse(value)
                .map_err(VerifyError::from)
                .and_then(|header| verify(&key, &request.method, &request.url, &request.body, &header));
            Ok(report(result))
        }
    }
}

/// Request with its texts and bytes.
struct Request {
    method: String,
    url: Url,
    body: Vec<u8>,
}

impl Request {
    fn read(inputs: &mut files::Inputs, request: &SignedRequest) -> Result<Self> {
        let method = inputs.value(&request.method)?;
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            bail!("the method must have letters only");
        }
        let address = inputs.value(&request.url)?;
        let url = Url::parse(&address).context("the address can't be parsed")?;
        if url.host_str().is_none() {
            bail!("the address must begin with https:// and a host");
        }
        if url.as_str() != address && is_spelled_differently(&url, &address) {
            eprintln!("note: the address is sent, and signed, as {url}");
        }
        let body = match &request.body {
            Some(file) => {
                inputs.claim(file)?;
                files::bytes(file, MAX_BODY)?
            }
            None => Vec::new(),
        };
        Ok(Self { method, url, body })
    }
}

/// Whether an address changes in more than the slash after its host and the case of scheme and host.
fn is_spelled_differently(url: &Url, address: &str) -> bool {
    !url.as_str()
        .trim_end_matches('/')
        .eq_ignore_ascii_case(address.trim_end_matches('/'))
}

/// Caller and stamp. The nonce may be that of another signer, which this one would not make.
struct Identity {
    consumer_key: String,
    nonce: String,
    timestamp: u64,
    method: SignatureMethod,
}

impl Identity {
    /// Takes what is given, then what a gateway's base string has, then a new stamp.
    fn read(inputs: &mut files::Inputs, caller: &Caller, gateway: Option<&Acceptable>) -> Result<Self> {
        let mut found = |given: &Option<String>, name: &str| match given {
            Some(text) => inputs.value(text).map(Some),
            None => Ok(gateway.and_then(|base| base.parameter(name))),
        };
        let consumer_key =
            found(&caller.consumer_key, "oauth_consumer_key")?.context("--consumer-key is missing")?;
        let nonce = found(&caller.nonce, "oauth_nonce")?;
        let timestamp = found(&caller.timestamp, "oauth_timestamp")?
            .map(|text| text.parse().context("the timestamp must be a number of seconds"))
            .transpose()?;
        let timestamp = match timestamp {
            Some(timestamp) => timestamp,
            None => u64::try_from(SystemClock.now().as_second())?,
        };
        let nonce = nonce.unwrap_or_else(|| {
            let mut random = [0; 16];
            SystemRandomness.fill(&mut random);
            Stamp::from_random(random, timestamp).nonce().to_owned()
        });
        let method = match caller.signature_method {
            Some(method) => method.into(),
            None => match found(&None, "oauth_signature_method")?.as_deref() {
                Some("RSA-PSS") => SignatureMethod::RsaPss,
                _ => SignatureMethod::RsaSha256,
            },
        };
        Ok(Self {
            consumer_key,
            nonce,
            timestamp,
            method,
        })
    }
}

fn print_base_string(
    inputs: &mut files::Inputs,
    request: &SignedRequest,
    caller: &Caller,
    gateway: Option<&Path>,
) -> Result<ExitCode> {
    let acceptable = gateway
        .map(|file| {
            inputs.claim(file)?;
            let text = files::bytes(file, MAX_BODY)?;
            Acceptable::find(&String::from_utf8_lossy(&text))
                .ok_or_else(|| anyhow!("{}: no signature base string in it", file.display()))
        })
        .transpose()?;
    let request = Request::read(inputs, request)?;
    let caller = Identity::read(inputs, caller, acceptable.as_ref())?;
    let ours = our_base_string(&request, &caller);
    let Some(theirs) = acceptable else {
        println!("{ours}");
        return Ok(ExitCode::SUCCESS);
    };
    Ok(compare(&theirs, &ours))
}

fn our_base_string(request: &Request, caller: &Identity) -> String {
    base_string(
        &request.method,
        &request.url,
        &[
            ("oauth_body_hash", BodyHash::of(&request.body).as_str()),
            ("oauth_consumer_key", &caller.consumer_key),
            ("oauth_nonce", &caller.nonce),
            ("oauth_signature_method", caller.method.as_str()),
            ("oauth_timestamp", &caller.timestamp.to_string()),
            ("oauth_version", "1.0"),
        ],
    )
}

/// Prints both base strings with their difference marked.
fn compare(theirs: &Acceptable, ours: &str) -> ExitCode {
    let Some(difference) = theirs.difference(ours) else {
        println!("gateway  {}", theirs.text());
        println!("ours     {ours}");
        println!(
            "{}",
            if theirs.text().len() < ours.len() {
                "same, as far as the gateway's text goes"
            } else {
                "same: the signature was made of another string, or with another key than that of this consumer key"
            }
        );
        return ExitCode::SUCCESS;
    };
    let colors = std::io::stdout().is_terminal();
    println!("gateway  {}", marked(theirs.text(), &difference.theirs, colors));
    println!("ours     {}", marked(ours, &difference.ours, colors));
    println!("different in: {}", difference.part);
    ExitCode::from(1)
}

/// Marks a part of a text: by brackets, which no base string has, and by color on a terminal.
fn marked(text: &str, part: &std::ops::Range<usize>, colors: bool) -> String {
    let (start, end) = (&text[..part.start], &text[part.end..]);
    let middle = &text[part.clone()];
    if colors {
        format!("{start}\x1b[1;31m[{middle}]\x1b[0m{end}")
    } else {
        format!("{start}[{middle}]{end}")
    }
}

fn report(result: Result<(), VerifyError>) -> ExitCode {
    match result {
        Ok(()) => {
            println!("valid");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("not valid: {error}");
            if let VerifyError::Signature { acceptable, .. } = error {
                println!("acceptable signature base string: {acceptable}");
            }
            ExitCode::from(1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn difference_is_in_brackets() {
        assert_eq!(marked("GET&http", &(0..3), false), "[GET]&http");
        assert_eq!(marked("GET&http", &(3..3), false), "GET[]&http");
    }

    #[test]
    fn nonce_of_another_signer_is_compared() {
        let request = Request {
            method: "GET".to_owned(),
            url: Url::parse("https://example.com/a").unwrap(),
            body: Vec::new(),
        };
        let theirs = Identity {
            consumer_key: "key!project".to_owned(),
            nonce: "ab+/cd==".to_owned(),
            timestamp: 7,
            method: SignatureMethod::RsaSha256,
        };
        let gateway = Acceptable::find(&our_base_string(&request, &theirs)).unwrap();
        let caller = Caller {
            consumer_key: None,
            nonce: None,
            timestamp: None,
            signature_method: None,
        };
        let ours = Identity::read(&mut files::Inputs::default(), &caller, Some(&gateway)).unwrap();
        assert_eq!(ours.nonce, "ab+/cd==");
        assert_eq!(gateway.difference(&our_base_string(&request, &ours)), None);
    }

    #[test]
    fn changes_of_an_address_are_noted() {
        for (address, expected) in [
            ("https://EXAMPLE.com", false),
            ("https://example.com/a/../b", true),
            ("https://example.com/a b", true),
            ("https://example.com:443/a", true),
        ] {
            let url = Url::parse(address).unwrap();
            assert_eq!(is_spelled_differently(&url, address), expected, "{address}");
        }
    }
}
