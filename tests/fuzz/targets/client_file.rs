//! The file that an operator applies.

#![no_main]

use enrollment::client::{Client, file};
use fuzz::open;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let client = match file::read(text, &open) {
        Ok(set_up) => set_up.client,
        Err(faults) => {
            assert!(!faults.is_empty());
            assert!(
                faults
                    .iter()
                    .all(|fault| !fault.place.is_empty() && !fault.message.is_empty())
            );
            return;
        }
    };
    let stored = serde_json::to_string(&client).expect("a client can be stored");
    let read: Client = serde_json::from_str(&stored).expect("a stored client can be read");
    assert_eq!(read, client);

    assert!(!client.keys.is_empty() && !client.programs.is_empty());
    for host in &client.confirmation_hosts {
        let address = format!("https://{host}/")
            .parse()
            .expect("a host is a part of an address");
        assert!(client.may_confirm_to(&address), "{host}");
    }
    for target in &client.return_targets {
        let text = target.to_string();
        assert!(
            !text.starts_with("javascript") && !text.starts_with("data"),
            "{text}"
        );
    }
    // These characters have a meaning in the header that contains the origins.
    for origin in &client.embed_origins {
        assert!(
            !origin.as_str().contains([' ', ';', ',', '*', '\'', '"']),
            "{origin}"
        );
    }
    for (_, color) in client.look.colors.iter() {
        let value = color.to_string();
        assert!(value[1..].bytes().all(|byte| byte.is_ascii_hexdigit()), "{value}");
    }
});
