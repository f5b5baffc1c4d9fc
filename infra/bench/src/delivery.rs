//! CPU time of delivering a confirmation: signature, connection, TLS handshake, request, answer. The receiver is on
//! loopback and runs in a thread of its own, whose time does not count.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use anyhow::{Context as _, Result, ensure};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use webhooks::sender::Trust;
use webhooks::{MessageId, Sender, SenderSettings, SigningKeys, Url};

use crate::cpu_time;

/// Host of the receiver.
const HOST: &str = "localhost";

/// Longest body that the receiver reads, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// Measures a delivery over a new connection, as each is.
pub(crate) fn measure() -> Result<()> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([HOST.to_owned()])?;
    let configuration = ServerConfig::builder().with_no_client_auth().with_single_cert(
        vec![cert.der().clone()],
        PrivateKeyDer::Pkcs8(signing_key.serialize_der().into()),
    )?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = Url::parse(&format!(
        "https://{HOST}:{}/confirmations",
        listener.local_addr()?.port()
    ))?;
    let configuration = Arc::new(configuration);
    // It ends with this process.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that hangs up is no matter of the bench, which sees its own failure.
            receive(&configuration, stream).ok();
        }
    });

    let sender = Sender::new(&SenderSettings {
        dangerous_private_hosts: vec![HOST.parse()?],
        trust: Trust::mozilla_and_pem(&cert.pem())?,
        ..SenderSettings::default()
    })?;
    let secret = format!("whsec_{}", "A".repeat(32)).into();
    let keys = SigningKeys::new(&[secret], &[])?;
    let body = br#"{"status":"SUCCESS_ENROLL","programId":"10765","sub":"maria"}"#;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let took = cpu_time::of(|| {
        let signed = keys.sign(&MessageId::new("msg_1")?, 1_800_000_000, body);
        let answer = runtime.block_on(sender.post(&url, &signed.headers(), body.to_vec()))?;
        ensure!(answer.status == 204, "the receiver answers {}", answer.status);
        Ok(())
    })?;
    println!(
        "\nDelivery of a confirmation over loopback TLS, CPU time on one core; not judged\n{:<44}{:>10.1} us",
        "signature, connection, handshake, answer",
        took.as_secs_f64() * 1e6
    );
    Ok(())
}

fn receive(configuration: &Arc<ServerConfig>, stream: TcpStream) -> Result<()> {
    let connection = ServerConnection::new(Arc::clone(configuration))?;
    let mut reader = BufReader::new(StreamOwned::new(connection, stream));
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().context("a length")?;
        }
    }
    ensure!(length <= MAX_BODY, "the body is too long");
    reader.read_exact(&mut vec![0; length])?;
    let stream = reader.get_mut();
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
    stream.conn.send_close_notify();
    stream.flush()?;
    Ok(())
}
