//! Signatures of OAuth 1.0a, beside Mastercard's own packages and OpenSSL: one thread each, by processor time, in turns.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use mastercard::http::Url;
use mastercard::keys::PrivateKey;
use mastercard::oauth1::{Signer, Stamp};

use crate::Arguments;
use crate::cpu_time;

const ADDRESS: &str = "https://sandbox.api.mastercard.com/src/api/digital/payments/cards/batch";
const CONSUMER_KEY: &str =
    "uLXKmWNmIkzIGKfA2injnNQqpZaxaBSKxa3ixEVu2f283c95!33b9b2bd960147e387fa6f3f238f07170000000000000000";
/// Body of a small request, in bytes: what is measured is the signature.
const BODY: [u8; 256] = [b'a'; 256];
/// Longest series of turns. The turn with the best ratio counts: the machine may have other work in the others.
const MAX_TURNS: usize = 5;

/// Rates of one turn, in signatures a second of processor time.
struct Turn {
    ours: f64,
    openssl: f64,
    python: f64,
    npm: f64,
}

/// Measures and prints. Times are not judged.
pub(crate) fn measure(arguments: &Arguments) -> Result<()> {
    let key = PrivateKey::generate(2048).context("can't generate a key")?;
    let file = arguments.scratch.join("signing-key.pem");
    write_key(&file, &key.to_pkcs8_pem()?)?;
    let signer = Signer::new(CONSUMER_KEY, key)?;
    let turns = arguments.runs.clamp(1, MAX_TURNS);
    let seconds = if turns == 1 { 1 } else { 3 };
    let measured = (0..turns)
        .map(|_| turn(arguments, &signer, &file, seconds))
        .collect::<Result<Vec<_>>>();
    fs::remove_file(&file).with_context(|| file.display().to_string())?;
    let measured = measured?;
    let best = |rate: fn(&Turn) -> f64| measured.iter().map(rate).fold(0.0, f64::max);
    let ours = best(|turn| turn.ours);
    println!("\nSigning with RSA 2048 (OAuth 1.0a, {turns} turns of {seconds} s); rates are not judged");
    println!("{:<44}{:>14}{:>12}", "", "per CPU second", "ours / it");
    for (name, rate) in [
        ("header by the crate mastercard", ours),
        ("signature by `openssl speed rsa2048`", best(|turn| turn.openssl)),
        (
            "header by mastercard-oauth1-signer, PyPI",
            best(|turn| turn.python),
        ),
        ("header by mastercard-oauth1-signer, npm", best(|turn| turn.npm)),
    ] {
        println!("{name:<44}{rate:>14.0}{:>12.2}", ours / rate);
    }
    Ok(())
}

/// Each in turn, so that the machine's moods meet all of them.
fn turn(arguments: &Arguments, signer: &Signer, key: &Path, seconds: u32) -> Result<Turn> {
    let budget = seconds.to_string();
    let openssl = Command::new(&arguments.openssl)
        .args(["speed", "-mr", "-seconds", &budget, "rsa2048"])
        .stderr(Stdio::null())
        .output()
        .context("openssl")?;
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut python = Command::new(&arguments.python);
    python.arg(here.join("beside/signing.py"));
    let mut npm = Command::new(&arguments.node);
    npm.arg(here.join("beside/signing.mjs"));
    npm.arg(here.join("../../tests/interop/official"));
    Ok(Turn {
        ours: ours(signer)?,
        openssl: rate_of_openssl(&String::from_utf8_lossy(&openssl.stdout))
            .context("openssl speed printed no rate of rsa2048")?,
        python: official(python, key, &budget)?,
        npm: official(npm, key, &budget)?,
    })
}

/// Headers a second.
fn ours(signer: &Signer) -> Result<f64> {
    let url = Url::parse(ADDRESS)?;
    let mut made = 0_u32;
    let took = cpu_time::of(|| {
        made = made.wrapping_add(1);
        let mut random = [0; 16];
        random[..4].copy_from_slice(&made.to_le_bytes());
        let stamp = Stamp::from_random(random, 1_796_000_000);
        std::hint::black_box(signer.authorization("POST", &url, &BODY, &stamp)?);
        Ok(())
    })?;
    Ok(1.0 / took.as_secs_f64())
}

/// Runs a script that prints its rate.
fn official(mut command: Command, key: &Path, seconds: &str) -> Result<f64> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut running = command
        .arg(key)
        .args([ADDRESS, seconds])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| name.clone())?;
    running
        .stdin
        .take()
        .context("no standard input")?
        .write_all(&BODY)?;
    let output = running.wait_with_output()?;
    ensure!(output.status.success(), "{name} failed");
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim()
        .parse()
        .with_context(|| format!("{name} printed no rate"))
}

/// Signatures a second in the machine-readable report of `openssl speed`: `+F2:<index>:<bits>:<signatures>:<verifications>`.
fn rate_of_openssl(report: &str) -> Option<f64> {
    let line = report.lines().find_map(|line| line.strip_prefix("+F2:"))?;
    let mut fields = line.split(':');
    let bits = fields.nth(1)?;
    let rate: f64 = fields.next()?.parse().ok()?;
    (bits == "2048" && rate > 0.0).then_some(rate)
}

fn write_key(file: &Path, pem: &str) -> Result<()> {
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut file| file.write_all(pem.as_bytes()))
        .with_context(|| file.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_of_openssl_is_read() {
        // Of OpenSSL 3.0.
        let report = "+DTP:2048:private:rsa:1\n+R1:4807:2048:1.00\n+F2:2:2048:4741.379310:78451.612903\n";
        let rate = rate_of_openssl(report).unwrap();
        assert!((4741.0..4742.0).contains(&rate), "{rate}");
        assert_eq!(rate_of_openssl(""), None);
        assert_eq!(rate_of_openssl("+F2:3:4096:700.5:45000.0"), None);
    }
}
