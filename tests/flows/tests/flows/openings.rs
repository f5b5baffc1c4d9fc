//! `POST /company/non_auth_initialize`: each row of its table. What every answer has (302, the address twice, no caching) is
//! checked by [`Redirect`].

use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use enrollment::client::{ClientStatus, VerificationKey};
use enrollment::language::Language;
use flows::call;
use flows::page::Page;
use flows::partner::{Partner, Redirect, initialize, other_key, own_key, sign, sign_as};
use flows::stack::Stack;
use flows::time::now;
use http::Request;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn a_signed_token_opens_the_widget() {
    let stack = Stack::here();
    let redirect = Partner::demo().open(&json!({}));
    assert_eq!(redirect.status, "OPENED");
    assert_eq!(
        redirect.slug_and_language(),
        (&*stack.client.slug, Some(&*stack.client.default_language))
    );
    // The session is alive: the page gets its form.
    assert_eq!(Page::of(&redirect).form()["attemptsLeft"], 5);
    let another = Partner::demo().open(&json!({}));
    assert_ne!(another.session(), redirect.session());
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn any_language_opens_and_finds_its_texts() {
    let partner = Partner::like_demo_but(|client| {
        client.default_language = Language::parse("de").unwrap();
        client.languages = Some(Vec::new());
        client
            .translations
            .insert(Language::parse("pl").unwrap(), json!({"read_more": "Więcej"}));
        client.translations.insert(
            Language::parse("pt_BR").unwrap(),
            json!({"read_more": "Leia mais"}),
        );
        for (tag, text) in [("zh_Hant", "閱讀更多"), ("he", "קרא עוד")] {
            client
                .translations
                .insert(Language::parse(tag).unwrap(), json!({"read_more": text}));
        }
    });
    for (asked, given) in [
        (json!("pl"), "pl"),
        (json!("pl_PL"), "pl"),
        (json!("pl-PL"), "pl"),
        (json!("pt_BR"), "pt_BR"),
        (json!("pt-br"), "pt_BR"),
        (json!("pt_PT"), "de"),
        (json!("fr_FR"), "de"),
        (json!("pl-u-ms-metric"), "pl"),
        (json!("pt-Latn-BR-x-private"), "pt_BR"),
        (json!("pt"), "pt_BR"),
        (json!("pl_PL.UTF-8@euro"), "pl"),
        (json!("zh-TW"), "zh_Hant"),
        (json!("zh-Hant-TW"), "zh_Hant"),
        (json!("zh_TW_#Hant"), "zh_Hant"),
        (json!("zh-CN"), "de"),
        (json!("iw"), "he"),
        (json!("english"), "de"),
        (json!(""), "de"),
        (json!(7), "de"),
        (json!(["pl"]), "de"),
        (json!({"tag": "pl"}), "de"),
        (json!("x".repeat(300)), "de"),
        (Value::Null, "de"),
    ] {
        let redirect = partner.open(&json!({"language": asked}));
        assert_eq!(
            redirect.slug_and_language(),
            (&*partner.client, Some(given)),
            "{asked}"
        );
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn body_without_exactly_one_token_is_invalid() {
    let token = Partner::demo().token(&json!({}));
    for body in [
        String::new(),
        token.clone(),
        "{".into(),
        "[]".into(),
        "{}".into(),
        r#"{"initializeWebsiteToken":null}"#.into(),
        r#"{"initializeWebsiteToken":""}"#.into(),
        format!(r#"{{"initializeWebsiteToken":["{token}"]}}"#),
        format!(r#"{{"initializeWebsiteToken":"{token}","initializeWebsiteToken":"{token}"}}"#),
        format!(r#"{{"initialize_website_token":"{token}"}}"#),
    ] {
        let redirect = Redirect::of_body(&body);
        assert_eq!(redirect.failure().0, "INVALID_PARAMETERS", "{body}");
        assert_eq!(redirect.slug_and_language(), ("_", None), "nobody's page: {body}");
    }
    assert_eq!(
        Redirect::of_token(&token).status,
        "OPENED",
        "none of these has used the token up"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn token_without_jwt_form_or_client_is_invalid() {
    let partner = Partner::demo();
    let token = partner.token(&json!({}));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    for token in [
        "x".into(),
        "a.b.c".into(),
        signed.to_owned(),
        format!("{token}.{signature}"),
        format!(".{signed}.{signature}"),
        partner.token(&json!({"iss": null})),
        partner.token(&json!({"iss": 7})),
        partner.token(&json!({"iss": ""})),
        partner.token(&json!({"iss": ["demo"]})),
    ] {
        let redirect = Redirect::of_token(&token);
        assert_eq!(redirect.failure().0, "INVALID_PARAMETERS", "{token}");
        assert_eq!(redirect.slug_and_language(), ("_", None), "{token}");
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn unknown_client_is_denied_on_the_neutral_page() {
    for client in ["somebody-else", "../demo", "demo ", "DEMO"] {
        let redirect = Partner::demo().open(&json!({"iss": client}));
        assert_eq!(redirect.failure().0, "ACCESS_DENIED", "{client}");
        assert!(
            redirect
                .location
                .contains("/widget/_/#status=ACCESS_DENIED&incident="),
            "{client}"
        );
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn suspended_client_and_ended_key_are_denied() {
    let suspended = Partner::like_demo_but(|client| client.status = ClientStatus::Suspended);
    let ended = Partner::like_demo_but(|client| {
        for key in &mut client.keys {
            key.not_after = Some("2026-01-01T00:00:00Z".parse().unwrap());
        }
    });
    for (partner, reason) in [(suspended, Some("suspended")), (ended, None)] {
        let redirect = partner.open(&json!({}));
        assert_eq!(redirect.failure().0, "ACCESS_DENIED");
        assert_eq!(redirect.reason(), reason);
        assert_eq!(redirect.slug_and_language().0, partner.client);
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn keys_can_be_rotated() {
    let partner = Partner::like_demo_but(|client| {
        let current = client.keys[0].clone();
        let ended = VerificationKey {
            id: "former".into(),
            not_after: Some("2026-01-01T00:00:00Z".parse().unwrap()),
            ..current.clone()
        };
        client.keys = vec![
            ended,
            VerificationKey {
                id: "current".into(),
                not_after: None,
                ..current
            },
        ];
    });
    let open = |header: &Value| {
        let token = sign_as(header, &partner.claims(&json!({})), &own_key(), Algorithm::RS256);
        Redirect::of_token(&token).status
    };
    assert_eq!(open(&json!({"alg": "RS256"})), "OPENED");
    assert_eq!(open(&json!({"alg": "RS256", "kid": "current"})), "OPENED");
    assert_eq!(
        open(&json!({"alg": "RS256", "kid": "former"})),
        "OPENED",
        "an ended key's name is an unknown name"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn a_forged_token_is_denied() {
    let partner = Partner::demo();
    let claims = || partner.claims(&json!({}));
    let own = own_key();
    let good = partner.token(&json!({}));
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = signed.split_once('.').unwrap();
    let other = partner.token(&json!({"sub": "somebody-else"}));
    let other_claims = other.split('.').nth(1).unwrap();
    // The public key as a shared secret: the classic confusion.
    let public = Stack::here().text("demo/public-key.pem");
    let shared = EncodingKey::from_secret(public.as_bytes());
    let forged = [
        sign_as(
            &json!({"alg": "RS256"}),
            &claims(),
            &other_key(),
            Algorithm::RS256,
        ),
        sign_as(&json!({"alg": "HS256"}), &claims(), &shared, Algorithm::HS256),
        sign_as(&json!({"alg": "RS512"}), &claims(), &own, Algorithm::RS512),
        sign_as(&json!({"alg": "PS256"}), &claims(), &own, Algorithm::PS256),
        sign_as(&json!({"alg": "none"}), &claims(), &own, Algorithm::RS256),
        sign_as(&json!({"typ": "JWT"}), &claims(), &own, Algorithm::RS256),
        sign_as(
            &json!({"alg": "RS256", "crit": ["exp"]}),
            &claims(),
            &own,
            Algorithm::RS256,
        ),
        format!("{header}.{other_claims}.{signature}"),
        format!("{signed}.{}", backwards(signature)),
        format!("{signed}.AAAA"),
        format!("{signed}."),
    ];
    for token in forged {
        let redirect = Redirect::of_token(&token);
        assert_eq!(redirect.failure().0, "ACCESS_DENIED", "{token}");
        assert_eq!(redirect.slug_and_language().0, Stack::here().client.slug);
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn expired_differs_from_forged() {
    let partner = Partner::demo();
    let expired = json!({"iat": now() - 400, "exp": now() - 90});
    assert_eq!(partner.open(&expired).failure().0, "TOKEN_EXPIRED");

    let forged = sign_as(
        &json!({"alg": "RS256"}),
        &partner.claims(&expired),
        &other_key(),
        Algorithm::RS256,
    );
    assert_eq!(
        Redirect::of_token(&forged).failure().0,
        "ACCESS_DENIED",
        "the signature comes first"
    );

    let also_malformed = json!({"iat": now() - 400, "exp": now() - 90, "sub": null, "programId": "99999"});
    assert_eq!(
        partner.open(&also_malformed).failure().0,
        "TOKEN_EXPIRED",
        "the claims come later"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn leeway_is_one_minute_and_lifetime_ten() {
    let cases = [
        (json!({"iat": now() - 400, "exp": now() - 30}), "OPENED"),
        (json!({"iat": now() + 30, "exp": now() + 300}), "OPENED"),
        (
            json!({"iat": now() + 150, "exp": now() + 300}),
            "INVALID_PARAMETERS",
        ),
        (json!({"iat": now() - 10, "exp": now() + 590}), "OPENED"),
        (
            json!({"iat": now() - 10, "exp": now() + 591}),
            "INVALID_PARAMETERS",
        ),
        // The widget document's example lives for more than eight hours; its text says ten minutes.
        (json!({"iat": now(), "exp": now() + 30_100}), "INVALID_PARAMETERS"),
        (json!({"iat": now(), "exp": now()}), "INVALID_PARAMETERS"),
        (
            json!({"iat": now() + 20, "exp": now() + 10}),
            "INVALID_PARAMETERS",
        ),
    ];
    for (times, status) in cases {
        assert_eq!(Partner::demo().open(&times).status, status, "{times}");
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn missing_or_malformed_claim_is_invalid() {
    let long = "x".repeat(257);
    let cases = [
        json!({"sub": null}),
        json!({"sub": ""}),
        json!({"sub": 7}),
        json!({"sub": long}),
        json!({"sub": "line\nbreak"}),
        json!({"actionCode": null}),
        json!({"actionCode": "n"}),
        json!({"actionCode": "B"}),
        json!({"actionCode": ["N"]}),
        json!({"programId": null}),
        json!({"programId": 10765}),
        json!({"programId": long}),
        json!({"iat": null}),
        json!({"iat": now().to_string()}),
        json!({"iat": -1}),
        json!({"exp": null}),
        json!({"exp": (now() + 300).to_string()}),
        json!({"last4": "123"}),
        json!({"last4": "12345"}),
        json!({"last4": 1234}),
        json!({"last4": "12a4"}),
    ];
    for changes in cases {
        let redirect = Partner::demo().open(&changes);
        assert_eq!(redirect.failure().0, "INVALID_PARAMETERS", "{changes}");
        assert_eq!(
            redirect.slug_and_language().0,
            Stack::here().client.slug,
            "{changes}"
        );
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn confirmation_host_must_be_registered_https() {
    let registered = &*Stack::here().demo.confirmation_url;
    let port = registered.rsplit(':').next().unwrap().split('/').next().unwrap();
    let plain = registered.replace("https:", "http:");
    let with_user = registered.replace("https://", "https://user:word@");
    let other_port = registered.replace(port, "1");
    let refused = [
        &*plain,
        &*with_user,
        &*other_port,
        "https://evil.example/confirmations",
        "https://localhost.evil.example/",
        "//localhost/",
        "not an address",
        "",
    ];
    for name in ["confirmationUrl", "ranac_url"] {
        assert_eq!(
            Partner::demo().open(&json!({name: registered})).status,
            "OPENED",
            "{name}"
        );
        for address in refused {
            let redirect = Partner::demo().open(&json!({name: address}));
            assert_eq!(redirect.failure().0, "INVALID_PARAMETERS", "{name} {address}");
        }
        assert_eq!(
            Partner::demo().open(&json!({name: [registered]})).status,
            "INVALID_PARAMETERS"
        );
    }
    let two = json!({"confirmationUrl": registered, "ranac_url": format!("{registered}/other")});
    assert_eq!(
        Partner::demo().open(&two).status,
        "INVALID_PARAMETERS",
        "two names, two addresses"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn foreign_program_or_action_is_denied() {
    assert_eq!(
        Partner::demo().open(&json!({"programId": "99999"})).failure().0,
        "ACCESS_DENIED"
    );

    let enrollment_only = Partner::like_demo_but(|client| {
        for program in &mut client.programs {
            program.replacement = false;
            program.opt_out = false;
        }
    });
    for (action, status) in [("N", "OPENED"), ("R", "ACCESS_DENIED"), ("C", "ACCESS_DENIED")] {
        assert_eq!(
            enrollment_only.open(&json!({"actionCode": action})).status,
            status,
            "{action}"
        );
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn a_token_opens_one_session() {
    let token = Partner::demo().token(&json!({}));
    assert_eq!(Redirect::of_token(&token).status, "OPENED");
    for _ in 0..2 {
        let replayed = Redirect::of_token(&token);
        assert_eq!(replayed.failure().0, "ACCESS_DENIED");
        assert_eq!(replayed.reason(), Some("used"));
        assert_eq!(replayed.slug_and_language().0, Stack::here().client.slug);
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn twenty_concurrent_posts_open_one_session() {
    let token = Partner::demo().token(&json!({}));
    let statuses: Vec<String> = thread::scope(|scope| {
        let posts: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| Redirect::of_token(&token).status))
            .collect();
        posts.into_iter().map(|post| post.join().unwrap()).collect()
    });
    let count = |status: &str| statuses.iter().filter(|told| *told == status).count();
    assert_eq!((count("OPENED"), count("ACCESS_DENIED")), (1, 19), "{statuses:?}");
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn a_token_that_was_refused_is_not_used_up() {
    let partner = Partner::demo();
    let early = sign(&partner.claims(&json!({"iat": now() + 62, "exp": now() + 300})));
    assert_eq!(Redirect::of_token(&early).failure().0, "INVALID_PARAMETERS");
    flows::time::pause(4000);
    assert_eq!(Redirect::of_token(&early).status, "OPENED");
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn gateway_refuses_other_methods() {
    let address = format!("{}/company/non_auth_initialize", Stack::here().endpoints.api);
    for method in ["GET", "PUT", "DELETE"] {
        let request = Request::builder()
            .method(method)
            .uri(&address)
            .body(Vec::new())
            .unwrap();
        let answer = call::send(request);
        // What API Gateway says to a method that a path does not have is template.yaml's 404; the local AWS says 403 or 405.
        assert!(
            [403, 404, 405].contains(&answer.status),
            "{method}: {}",
            answer.status
        );
        assert_eq!(answer.optional_header("enrollment-status"), None, "{method}");
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn the_content_type_does_not_matter() {
    let stack = Stack::here();
    let body = json!({"initializeWebsiteToken": Partner::demo().token(&json!({}))}).to_string();
    let address = format!("{}/company/non_auth_initialize", stack.endpoints.api);
    let answer = call::send(
        Request::post(address)
            .header("content-type", "text/plain")
            .body(body.into())
            .unwrap(),
    );
    assert_eq!(
        (answer.status, answer.header("enrollment-status")),
        (302, "OPENED")
    );
    // And every answer has the length of a page, not of a dump.
    assert!(initialize("{}").bytes.len() < 1000);
}

/// Another signature of the same length. Reversing the text instead would rarely give canonical base64.
fn backwards(signature: &str) -> String {
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).expect("base64");
    bytes.reverse();
    URL_SAFE_NO_PAD.encode(bytes)
}
