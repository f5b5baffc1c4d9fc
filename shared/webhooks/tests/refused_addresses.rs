//! URLs and answers of name servers that lead to internal addresses. A listener on loopback sees no connection from any
//! of them.

#![expect(clippy::unwrap_used, reason = "a test that can't be set up fails")]

use std::{
    future::ready,
    io,
    net::{IpAddr, Ipv6Addr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::timeout;
use webhooks::{
    Answer, BlockedUrl, SendError, SendStage, Sender, SenderSettings, Url,
    sender::{Resolve, Resolving},
};

/// Hosts that are addresses, in every spelling that `url` turns into four or eight numbers.
const HOSTS: &[&str] = &[
    // Loopback as it is, short, decimal, octal, hexadecimal, mixed, and with the root's full stop.
    "127.0.0.1",
    "127.0.0.2",
    "127.255.255.254",
    "127.0.0.1.",
    "127.1",
    "127.1.",
    "127.0.1",
    "2130706433",
    "2130706433.",
    "017700000001",
    "0177.0.0.1",
    "0177.1",
    "00000177.0.0.01",
    "0x7f000001",
    "0X7F000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "0x0000007f.0.0.0x1",
    "127.0x0.0.01",
    "127.0.0.0x",
    "0x7f.0.01",
    // Percent-encoded.
    "%31%32%37.0.0.1",
    "127%2e0%2E0%2e1",
    "%30x7f.1",
    "%32%31%33%30%37%30%36%34%33%33",
    // Characters that IDNA maps to digits and full stops, or drops.
    "１２７.０.０.１",
    "１２７．０．０．１",
    "127。0。0。1",
    "127｡0｡0｡1",
    "①②⑦.⓪.⓪.①",
    "①②⑦．⓪．⓪．①",
    "𝟏𝟐𝟕.𝟎.𝟎.𝟏",
    "¹²⁷.⁰.⁰.¹",
    "₁₂₇.1",
    "０ｘ７ｆ.1",
    "127.0.0\u{ad}.1",
    "%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1",
    // This host.
    "0",
    "0.",
    "0.0.0.0",
    "0x0",
    "0.1",
    // Private use.
    "10.0.0.1",
    "10.1",
    "167772161",
    "0xa.1",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.1.1",
    "192.168.257",
    "3232235777",
    // Link-local with the metadata services of the clouds, and those that are elsewhere.
    "169.254.0.1",
    "169.254.169.254",
    "169.254.43518",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.170.2",
    "169.254.170.23",
    "168.63.129.16",
    "0xa83f8110",
    "100.100.100.200",
    "192.0.0.192",
    // Shared, protocol assignments, documentation, relays, benchmarking.
    "100.64.0.1",
    "100.127.255.254",
    "192.0.0.8",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.175.48.1",
    "198.18.0.1",
    "198.19.255.254",
    "198.51.100.1",
    "203.0.113.1",
    // Multicast, reserved, broadcast.
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "4294967295",
    // Loopback and unspecified of IPv6.
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::0.0.0.1]",
    "[::]",
    // IPv4 inside: compatible, mapped, translated, NAT64, 6to4, Teredo.
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::FFFF:7F00:0001]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[::ffff:8.8.8.8]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b::8.8.8.8]",
    "[64:ff9b:1::10.0.0.1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2002:808:808::1]",
    "[2001:0:7f00:1::]",
    "[2001:0:808:808:0:ffff:80ff:fffe]",
    // Link-local, site-local, unique local, metadata services.
    "[fe80::1]",
    "[febf::1]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd12:3456:789a::1]",
    "[fd00:ec2::254]",
    "[fd00:ec2::23]",
    "[fd20:ce::254]",
    // Special, multicast, and never given out.
    "[100::1]",
    "[100:0:0:1::1]",
    "[2001:2::1]",
    "[2001:10::1]",
    "[2001:20::1]",
    "[2001:db8::1]",
    "[2620:4f:8000::1]",
    "[3fff::1]",
    "[5f00::1]",
    "[ff02::1]",
    "[ff0e::1]",
    "[4000::1]",
];

/// URLs that `url` itself refuses, so that they never reach a sender.
const NOT_URLS: &[&str] = &[
    "",
    "a b",
    "256.0.0.1",
    "127.0.0.256",
    "127.0.0.0.1",
    "4294967296",
    "0x100000000",
    "0377777777777",
    "09.0.0.1",
    "1.2.3.4.5.",
    "127.0.0.1%00",
    "localhost%20",
    "[::1",
    "[127.0.0.1]",
    "[::ffff:127.0.0.256]",
    "[%3A%3A1]",
    "[fe80::1%eth0]",
    "[fe80::1%25eth0]",
];

/// Answers of a name server. One address that is not public is enough, at any position.
const ANSWERS: &[&[&str]] = &[
    &["127.0.0.1"],
    &["0.0.0.0"],
    &["10.0.0.1"],
    &["172.16.0.1"],
    &["192.168.1.1"],
    &["169.254.169.254"],
    &["169.254.170.2"],
    &["168.63.129.16"],
    &["100.64.0.1"],
    &["100.100.100.200"],
    &["192.0.0.192"],
    &["192.0.2.1"],
    &["198.18.0.1"],
    &["203.0.113.1"],
    &["224.0.0.1"],
    &["240.0.0.1"],
    &["255.255.255.255"],
    &["::1"],
    &["::"],
    &["::127.0.0.1"],
    &["::ffff:127.0.0.1"],
    &["::ffff:8.8.8.8"],
    &["64:ff9b::7f00:1"],
    &["64:ff9b::808:808"],
    &["64:ff9b:1::a00:1"],
    &["2002:7f00:1::"],
    &["2001:0:7f00:1::"],
    &["fe80::1"],
    &["fec0::1"],
    &["fd12:3456:789a::1"],
    &["fd00:ec2::254"],
    &["fd20:ce::254"],
    &["100::1"],
    &["2001:db8::1"],
    &["3fff::1"],
    &["5f00::1"],
    &["ff02::1"],
    &["8.8.8.8", "127.0.0.1"],
    &["127.0.0.1", "8.8.8.8"],
    &["2606:4700:4700::1111", "8.8.8.8", "::1"],
    &["8.8.8.8", "fd00:ec2::254", "2606:4700:4700::1111"],
];

#[tokio::test]
async fn private_address_is_refused_in_every_spelling() {
    let inside = Inside::listen();
    let sender = sender(Arc::new(Unasked));
    for host in HOSTS {
        let refused = post(&sender, &inside.url(host)).await;
        assert_eq!(refused, Err(BlockedUrl::Address.into()), "{host}");
    }
    inside.saw_nothing();
}

#[test]
fn invalid_url_is_not_posted_to() {
    for host in NOT_URLS {
        assert!(Url::parse(&format!("https://{host}:8443/")).is_err(), "{host}");
    }
}

#[tokio::test]
async fn name_with_one_private_address_is_refused() {
    let inside = Inside::listen();
    for addresses in ANSWERS {
        let sender = sender(Arc::new(Answering::always(addresses)));
        for name in [
            "partner.example",
            "localhost",
            "metadata.google.internal",
            "partner.example.",
        ] {
            let refused = post(&sender, &inside.url(name)).await;
            assert_eq!(refused, Err(BlockedUrl::Address.into()), "{name} {addresses:?}");
        }
    }
    inside.saw_nothing();
}

#[tokio::test]
async fn localhost_is_refused_by_its_address() {
    let inside = Inside::listen();
    let sender = Sender::new(&SenderSettings::default()).unwrap();
    for name in [
        "localhost",
        "LOCALHOST",
        "ｌｏｃａｌｈｏｓｔ",
        "%6c%6f%63%61lhost",
    ] {
        let refused = post(&sender, &inside.url(name)).await;
        assert_eq!(refused, Err(BlockedUrl::Address.into()), "{name}");
    }
    inside.saw_nothing();
}

/// The first answer is an address in an unassigned part of `2000::/3`, so nothing is there.
#[tokio::test]
async fn changed_address_is_checked_by_each_attempt() {
    let inside = Inside::listen();
    let rebinding = Arc::new(Answering::first_then("3000::1", "127.0.0.1"));
    let sender = sender(Arc::clone(&rebinding) as Arc<dyn Resolve>);
    let url = inside.url("partner.example");

    let first = post(&sender, &url).await;
    assert!(
        matches!(first, Err(SendError::Connect | SendError::Timeout(_))),
        "{first:?}"
    );
    assert_eq!(rebinding.asked(), 1, "what was judged is what is connected to");

    assert_eq!(post(&sender, &url).await, Err(BlockedUrl::Address.into()));
    assert_eq!(rebinding.asked(), 2);
    inside.saw_nothing();
}

#[tokio::test]
async fn only_https_without_credentials_is_accepted() {
    let inside = Inside::listen();
    let sender = sender(Arc::new(Unasked));
    for (prefix, blocked) in [
        ("http://", BlockedUrl::Scheme),
        ("ws://", BlockedUrl::Scheme),
        ("wss://", BlockedUrl::Scheme),
        ("ftp://", BlockedUrl::Scheme),
        ("gopher://", BlockedUrl::Scheme),
        ("unix://", BlockedUrl::Scheme),
        ("https://user@", BlockedUrl::Credentials),
        ("https://user:password@", BlockedUrl::Credentials),
        ("https://:password@", BlockedUrl::Credentials),
        ("https://8.8.8.8@", BlockedUrl::Credentials),
        ("https://8.8.8.8:443@", BlockedUrl::Credentials),
    ] {
        let url = Url::parse(&format!("{prefix}localhost:{}/", inside.port)).unwrap();
        assert_eq!(post(&sender, &url).await, Err(blocked.into()), "{prefix}");
    }
    for url in [
        "data:,x",
        "file:///etc/passwd",
        "mailto:a@b.example",
        "javascript:1",
    ] {
        assert_eq!(
            post(&sender, &Url::parse(url).unwrap()).await,
            Err(BlockedUrl::Scheme.into()),
            "{url}"
        );
    }
    inside.saw_nothing();
}

/// Control: without it the other tests would pass if nothing could be reached at all.
#[tokio::test]
async fn listener_detects_a_connection() {
    let inside = Inside::listen();
    for (listener, host) in inside.listeners.iter().zip(["127.0.0.1", "[::1]"]) {
        let sender = Sender::new(&SenderSettings {
            dangerous_private_hosts: vec![host.parse().unwrap()],
            ..settings(Arc::new(Unasked))
        })
        .unwrap();
        assert_eq!(
            post(&sender, &inside.url(host)).await,
            Err(SendError::Timeout(SendStage::Tls))
        );
        assert!(listener.accept().is_ok(), "{host}");
    }
}

/// Listener on loopback by IPv4, and by IPv6 on the same port if the machine has it.
struct Inside {
    port: u16,
    listeners: Vec<TcpListener>,
}

/// Resolver for URLs that need none.
struct Unasked;

/// Resolver that counts its calls and repeats its last answer.
struct Answering {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

impl Inside {
    fn listen() -> Self {
        let v4 = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = v4.local_addr().unwrap().port();
        let v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).ok();
        let listeners: Vec<_> = [v4].into_iter().chain(v6).collect();
        for listener in &listeners {
            listener.set_nonblocking(true).unwrap();
        }
        Self { port, listeners }
    }

    fn url(&self, host: &str) -> Url {
        Url::parse(&format!("https://{host}:{}/hook", self.port)).unwrap()
    }

    fn saw_nothing(&self) {
        for listener in &self.listeners {
            let accepted = listener.accept().map_err(|error| error.kind());
            assert_eq!(accepted.err(), Some(io::ErrorKind::WouldBlock));
        }
    }
}

impl Answering {
    fn always(addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        Self {
            answers: vec![addresses],
            asked: AtomicUsize::new(0),
        }
    }

    fn first_then(first: &str, then: &str) -> Self {
        Self {
            answers: [first, then].map(|address| vec![address.parse().unwrap()]).into(),
            asked: AtomicUsize::new(0),
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Resolve for Unasked {
    fn resolve(&self, _name: &str) -> Resolving {
        Box::pin(ready(Err(io::ErrorKind::Unsupported.into())))
    }
}

impl Resolve for Answering {
    fn resolve(&self, _name: &str) -> Resolving {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answers.get(turn).or(self.answers.last()).unwrap();
        Box::pin(ready(Ok(answer.clone())))
    }
}

async fn post(sender: &Sender, url: &Url) -> Result<Answer, SendError> {
    let attempt = sender.post(url, &[], b"{}".to_vec());
    timeout(Duration::from_secs(20), attempt).await.unwrap()
}

fn sender(resolver: Arc<dyn Resolve>) -> Sender {
    Sender::new(&settings(resolver)).unwrap()
}

/// The time limit is short for a URL that is not refused: it would wait for a TLS handshake without answer.
fn settings(resolver: Arc<dyn Resolve>) -> SenderSettings {
    SenderSettings {
        total_timeout: Duration::from_secs(1),
        resolver,
        ..SenderSettings::default()
    }
}
