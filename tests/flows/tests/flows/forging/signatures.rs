//! Tokens that are not signed by the client with RS256 and a current key, whatever their header says.

use aws_lc_rs::hmac::{HMAC_SHA256, HMAC_SHA384, HMAC_SHA512};
use aws_lc_rs::signature::{
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512,
    RsaEncoding,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flows::forger::{assemble, certificate, es256, hmac, segment};
use serde_json::{Value, json};

use super::Forgery;
use super::victim::{HEADER, Victim};

const STATUS: &str = "ACCESS_DENIED";

pub(super) fn all(victim: &Victim) -> Vec<Forgery> {
    [
        algorithms(victim),
        public_key_as_secret(victim),
        keys(victim),
        headers(victim),
        changed(victim),
        issuers(victim),
    ]
    .into_iter()
    .flatten()
    .map(|(what, token)| Forgery::of_token(format!("signature: {what}"), &token, STATUS))
    .collect()
}

fn algorithms(victim: &Victim) -> Vec<(String, String)> {
    let claims = victim.claims(&json!({}));
    let mut all = Vec::new();
    for none in ["none", "None", "NONE", "nOnE"] {
        let header = json!({"alg": none}).to_string();
        let unsigned = assemble(&header, &claims, |_| Vec::new());
        all.push((format!("alg {none}, no signature"), unsigned));
        let signed = victim.own.token(&header, &claims);
        all.push((format!("alg {none}, with a signature"), signed));
    }
    let others: [(&str, &'static dyn RsaEncoding); 5] = [
        ("RS384", &RSA_PKCS1_SHA384),
        ("RS512", &RSA_PKCS1_SHA512),
        ("PS256", &RSA_PSS_SHA256),
        ("PS384", &RSA_PSS_SHA384),
        ("PS512", &RSA_PSS_SHA512),
    ];
    for (name, encoding) in others {
        for alg in [name, "RS256"] {
            let header = json!({"alg": alg}).to_string();
            let token = assemble(header, &claims, |signed| victim.own.sign(encoding, signed));
            all.push((format!("{name} by the client's key, called {alg}"), token));
        }
    }
    for alg in [
        json!("rs256"),
        json!("RS256 "),
        json!("RS256\u{0}"),
        json!("RS\u{ff12}56"),
        json!(""),
        json!(["RS256"]),
        json!({"RS256": true}),
        json!(256),
        Value::Null,
        json!("RSA-OAEP-256"),
        json!("ES256"),
        json!("HS256"),
    ] {
        let token = victim.own.token(json!({"alg": alg}).to_string(), &claims);
        all.push((format!("RS256 called {alg}"), token));
    }
    all.push(("no alg".into(), victim.own.token(r#"{"typ":"JWT"}"#, &claims)));
    all.push(("ES256".into(), assemble(r#"{"alg":"ES256"}"#, &claims, es256)));
    all.push(("ES256 called RS256".into(), assemble(HEADER, &claims, es256)));
    all
}

/// Algorithm confusion: the public key used as an HMAC secret.
fn public_key_as_secret(victim: &Victim) -> Vec<(String, String)> {
    let claims = victim.claims(&json!({}));
    let pem = victim.own.public_pem();
    let secrets = [
        ("the PEM file", pem.clone().into_bytes()),
        (
            "the PEM file without its end of line",
            pem.trim_end().as_bytes().to_vec(),
        ),
        ("the DER", victim.own.public_der()),
        ("the modulus", victim.own.modulus()),
        ("nothing", Vec::new()),
    ];
    let algorithms = [
        ("HS256", HMAC_SHA256),
        ("HS384", HMAC_SHA384),
        ("HS512", HMAC_SHA512),
    ];
    let mut all = Vec::new();
    for (secret_name, secret) in &secrets {
        for (name, algorithm) in algorithms {
            let header = json!({"typ": "JWT", "alg": name}).to_string();
            let token = assemble(header, &claims, |signed| hmac(algorithm, secret, signed));
            all.push((format!("{name} under {secret_name}"), token));
        }
        let called = assemble(HEADER, &claims, |signed| hmac(HMAC_SHA256, secret, signed));
        all.push((format!("HS256 under {secret_name}, called RS256"), called));
    }
    all
}

/// Keys of other clients, under every key id.
fn keys(victim: &Victim) -> Vec<(String, String)> {
    let claims = victim.claims(&json!({}));
    let mut all = Vec::new();
    for (whose, key) in [
        ("nobody's", &victim.attackers),
        ("another client's", &victim.neighbors),
        ("an ended", &victim.ended),
    ] {
        all.push((format!("{whose} key"), key.token(HEADER, &claims)));
        for kid in [
            json!("first"),
            json!("second"),
            json!("ended"),
            json!("theirs"),
            json!(""),
            json!("../../../../dev/null"),
            json!("' OR '1'='1"),
            json!("first\u{0}"),
            json!("x".repeat(1000)),
            json!(0),
            json!(["first"]),
            json!({"first": "second"}),
            Value::Null,
        ] {
            let header = json!({"alg": "RS256", "kid": kid}).to_string();
            let kid = kid.to_string();
            let what = format!("{whose} key called {}", &kid[..kid.len().min(24)]);
            all.push((what, key.token(header, &claims)));
        }
    }
    let header = r#"{"alg":"RS256","kid":"first"}"#;
    all.push((
        "the client's second key called its first".into(),
        victim.second.token(header, &claims),
    ));
    let neighbors = victim.neighbor.claims(&json!({})).to_string();
    all.push((
        "this client's key for another client".into(),
        victim.own.token(HEADER, neighbors),
    ));
    all
}

/// Headers that contain a key, or ask for another kind of check.
fn headers(victim: &Victim) -> Vec<(String, String)> {
    let claims = victim.claims(&json!({}));
    let with = |member: Value| {
        let mut header = json!({"typ": "JWT", "alg": "RS256"});
        header
            .as_object_mut()
            .unwrap()
            .extend(member.as_object().unwrap().clone());
        header.to_string()
    };
    let attacker = &victim.attackers;
    let brought = [
        json!({"jwk": attacker.jwk()}),
        json!({"kid": "first", "jwk": attacker.jwk()}),
        json!({"jku": "https://evil.example/jwks.json", "kid": "evil"}),
        json!({"jku": "file:///dev/null"}),
        json!({"x5u": "https://evil.example/certificate.pem"}),
        json!({"x5c": [certificate()]}),
        json!({"x5c": [certificate()], "x5t": "AAAA", "x5t#S256": "AAAA"}),
        json!({"jwk": {"keys": [attacker.jwk()]}, "jwks": [attacker.jwk()]}),
    ];
    let asked = [
        json!({"crit": ["exp"]}),
        json!({"crit": []}),
        json!({"crit": ["b64"], "b64": false}),
        json!({"b64": false}),
        json!({"cty": "JWT"}),
    ];
    let brought = brought.map(|member| {
        let names: Vec<&String> = member.as_object().unwrap().keys().collect();
        (
            format!("nobody's key in {names:?}"),
            attacker.token(with(member.clone()), &claims),
        )
    });
    let asked = asked.map(|member| {
        (
            format!("the client's key with {member}"),
            victim.own.token(with(member), &claims),
        )
    });
    // RFC 7797: with `b64` false the claims are signed as they are, not as they are sent.
    let unencoded = assemble(with(json!({"b64": false, "crit": ["b64"]})), &claims, |signed| {
        let end = signed.iter().position(|byte| *byte == b'.').unwrap_or_default();
        let input = [&signed[..=end], claims.as_bytes()].concat();
        victim.own.sign(&RSA_PKCS1_SHA256, &input)
    });
    brought
        .into_iter()
        .chain(asked)
        .chain([("RFC 7797's signing input".to_owned(), unencoded)])
        .collect()
}

/// Changed tokens, and malformed signatures.
fn changed(victim: &Victim) -> Vec<(String, String)> {
    let token = victim.token(&json!({}));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let other = victim.token(&json!({"sub": "somebody-else"}));
    let (other_signed, other_signature) = other.rsplit_once('.').unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let modulus = victim.own.modulus();
    let flipped = |index: usize, bit: u8| {
        let mut bytes = bytes.clone();
        bytes[index] ^= bit;
        segment(bytes)
    };
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    let with_claims = |text: String| format!("{header}.{}.{signature}", segment(text));
    let last = bytes.len() - 1;
    let signatures = [
        ("the signature of other claims", other_signature.to_owned()),
        ("its first bit flipped", flipped(0, 0x80)),
        ("a bit in its middle flipped", flipped(last / 2, 4)),
        ("its last bit flipped", flipped(last, 1)),
        (
            "backwards",
            segment(bytes.iter().rev().copied().collect::<Vec<u8>>()),
        ),
        ("zeros", segment(vec![0; bytes.len()])),
        ("one", segment([vec![0; last], vec![1]].concat())),
        ("the modulus", segment(&modulus)),
        ("with a leading zero", segment([&[0][..], &bytes].concat())),
        ("with a trailing zero", segment([&bytes[..], &[0]].concat())),
        ("twice", segment([&bytes[..], &bytes].concat())),
        ("a byte", segment([1])),
        ("empty", String::new()),
        (
            "eight kilobytes less the rest",
            "A".repeat((8000 - signed.len()) / 4 * 4),
        ),
    ]
    .map(|(what, signature)| (format!("signature {what}"), format!("{signed}.{signature}")));
    let contents = [
        ("other claims", format!("{other_signed}.{signature}")),
        (
            "a later exp",
            with_claims(text.replacen("\"exp\":1", "\"exp\":2", 1)),
        ),
        (
            "another customer",
            with_claims(text.replacen("customer-", "customer+", 1)),
        ),
        ("a space more", with_claims(format!("{text} "))),
        (
            "a bit of the header flipped",
            format!("{}.{claims}.{signature}", segment(HEADER.replace("JWT", "JWU"))),
        ),
    ]
    .map(|(what, token)| (format!("the old signature and {what}"), token));
    signatures.into_iter().chain(contents).collect()
}

/// Unknown issuers, in tokens signed by a client.
fn issuers(victim: &Victim) -> Vec<(String, String)> {
    let id = &victim.partner.client;
    [
        "somebody".to_owned(),
        format!("../{id}"),
        format!("{id}/../{id}"),
        format!("{id} "),
        format!("{id}\u{0}"),
        format!("{id}\n"),
        id.to_uppercase(),
        id.replace('l', "\u{217c}"),
        "client#demo".into(),
        "' OR '1'='1".into(),
        "x".repeat(256),
    ]
    .into_iter()
    .map(|issuer| {
        let what = format!(
            "iss {}",
            &issuer.escape_debug().to_string()[..issuer.len().min(20)]
        );
        (what, victim.token(&json!({"iss": issuer})))
    })
    .collect()
}
