//! Batches of cards under injected faults: each ends, none is submitted as two, and every card is accounted for.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flows::call::{self, Answer};
use flows::card::{passes_luhn, random_hex};
use flows::partner::{Partner, sign};
use flows::receiver::Received;
use flows::rewards::Faults;
use flows::stack::Stack;
use flows::time::{Stopwatch, eventually, now, pause};
use http::Request;
use jiff::SignedDuration;
use mastercard::jwe::{ContentEncryption, Encryptor, KeyName};
use mastercard::keys::PublicKey;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Cards in a batch.
const CARDS: usize = 250;
/// One card in so many is one that Mastercard refuses: 5 %.
const REFUSED_EVERY: usize = 20;
/// One batch in so many meets a fault of Mastercard at its submission or its status.
const FAULTY_EVERY: usize = 4;
/// Batches that are submitted at once.
const AT_ONCE: usize = 4;
/// Limit of a batch, from its submission to its confirmation.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);
/// Card that Mastercard's stand-in refuses with `PAN_INELIGIBLE`.
const INELIGIBLE: &str = "5234000100000204";

/// An issuer of the run, and its batches.
pub(crate) struct Batches {
    partner: Partner,
    encryptor: Encryptor,
    name: String,
    faults: Mutex<Vec<Faults>>,
}

/// One batch that was submitted.
struct Submitted {
    external_id: String,
    batch_id: String,
}

impl Batches {
    pub(crate) fn new() -> Self {
        let pem = Stack::here().text("pki/issuer-encryption.pub.pem");
        let demo: Value = serde_json::from_str(&Stack::here().text("demo/demo.json")).unwrap();
        let key_id = demo["issuer"]["keyId"].as_str().expect("a key id");
        let key = PublicKey::from_pem(&pem).expect("a public key");
        Self {
            partner: Partner::like_demo_but(|_| {}),
            encryptor: Encryptor::new(&key, KeyName::kid(key_id), ContentEncryption::A128Gcm, None).unwrap(),
            name: format!("load-{}", random_hex(8)),
            faults: Mutex::default(),
        }
    }

    /// Submits batches until there are `wanted`, waits for their ends, and checks every card. Returns the time that it took.
    pub(crate) fn run(&self, from: usize, wanted: usize) -> SignedDuration {
        let watch = Stopwatch::start();
        let next = AtomicUsize::new(from);
        thread::scope(|scope| {
            let workers: Vec<_> = (0..AT_ONCE)
                .map(|_| {
                    scope.spawn(|| {
                        while let Some(number) =
                            Some(next.fetch_add(1, Ordering::SeqCst)).filter(|n| *n < wanted)
                        {
                            self.order_fault(number);
                            let submitted = self.submit(number);
                            self.check(&submitted);
                        }
                    })
                })
                .collect();
            for worker in workers {
                worker.join().expect("a batch failed");
            }
        });
        watch.passed()
    }

    /// Checks what only the whole shows: one confirmation and one batch at Mastercard for each batch, and that Mastercard's
    /// faults have happened.
    pub(crate) fn check_all(&self, count: usize) {
        let faults = self.faults.lock().unwrap();
        assert_eq!(faults.len(), count.div_ceil(FAULTY_EVERY), "faults of Mastercard");
        for fault in &*faults {
            assert_eq!(fault.unserved(), [Value::Null; 0], "a fault did not happen");
        }
        println!("{} faults of Mastercard happened", faults.len());
        let known = call::get(&format!("{}/issuers/batches", Stack::here().endpoints.admin)).json();
        let mine: Vec<&Value> = known
            .as_array()
            .expect("batches")
            .iter()
            .filter(|batch| {
                batch["externalBatchId"]
                    .as_str()
                    .is_some_and(|id| id.starts_with(&self.name))
            })
            .collect();
        assert_eq!(mine.len(), count, "batches at Mastercard");
        let repeats: u64 = mine
            .iter()
            .map(|batch| batch["submissions"].as_u64().unwrap_or_default() - 1)
            .sum();
        println!("{count} batches at Mastercard, {repeats} submissions repeated");
        let confirmations = eventually("all confirmations", PATIENCE, || {
            let confirmations = self.confirmations();
            (confirmations.len() >= count).then_some(confirmations)
        });
        assert_eq!(confirmations.len(), count, "each batch is confirmed under one id");
    }

    /// Confirmations by the issuer's id of the batch; of each, exactly one id.
    fn confirmations(&self) -> BTreeMap<String, Received> {
        let address = format!("{}/received", Stack::here().endpoints.partner);
        let received: Vec<Received> =
            serde_json::from_value(call::get(&address).json()).expect("confirmations");
        let mut confirmations = BTreeMap::new();
        for confirmation in received {
            let Some(id) = confirmation.body["externalBatchId"].as_str().map(str::to_owned) else {
                continue;
            };
            if id.starts_with(&self.name) {
                assert!(confirmation.verified, "{confirmation:?}");
                assert_eq!(confirmation.body["status"], "SUCCESS_BATCH", "{confirmation:?}");
                let earlier = confirmations.insert(id, confirmation);
                assert!(earlier.is_none(), "two confirmations of one batch: {earlier:?}");
            }
        }
        confirmations
    }

    fn external_id(&self, number: usize) -> String {
        format!("{}.{number}", self.name)
    }

    /// Orders a fault of Mastercard for this batch alone.
    fn order_fault(&self, number: usize) {
        if !number.is_multiple_of(FAULTY_EVERY) {
            return;
        }
        let faults = [
            json!({"operation": "submitBatch", "fault": "cut-after"}),
            json!({"operation": "submitBatch", "fault": "throttled", "retryAfter": 1}),
            json!({"operation": "submitBatch", "fault": "http500-after"}),
            json!({"operation": "batchStatus", "fault": "malformed-after"}),
            json!({"operation": "submitBatch", "fault": "refused", "reason": "UNAVAILABLE"}),
        ];
        let order = faults[(number / FAULTY_EVERY) % faults.len()].clone();
        let ordered = Faults::about_batch(&self.external_id(number), &[order]);
        self.faults.lock().unwrap().push(ordered);
    }

    fn submit(&self, number: usize) -> Submitted {
        let external_id = self.external_id(number);
        let mut consumers = Vec::new();
        let mut profiles = Vec::new();
        for card in 0..CARDS {
            let (consumer, id) = (format!("{external_id}.p{card}"), format!("{external_id}.c{card}"));
            consumers.push(json!({
                "externalConsumerId": consumer, "firstName": "Erika", "lastName": "Mustermann",
                "consumerIdentity": {"identityType": "EMAIL_ADDRESS", "identityValue": format!("{consumer}@example.com")},
                "countryCode": "DE", "languageCode": "de",
                "cards": [{"externalCardId": id, "primaryAccountNumber": card_number(number * CARDS + card),
                    "panExpirationMonth": "12", "panExpirationYear": "2035"}],
            }));
            profiles.push(json!({"externalConsumerId": consumer, "cards": [{"externalCardId": id}]}));
        }
        let content = json!({ "consumers": consumers }).to_string();
        let body = json!({
            "externalBatchId": external_id,
            "encryptedEnrollmentData": self.encryptor.encrypt(content.as_bytes()).unwrap(),
            "manifest": {"profiles": profiles},
            "confirmationUrl": Stack::here().demo.confirmation_url,
        })
        .to_string();
        // As an issuer's client would: the same bytes again where the answer says that it may work later.
        let answer = eventually("the batch is taken", PATIENCE, || {
            let answer = self.call("POST", "/company/enroll_batch", &body);
            (answer.status < 500 && answer.status != 429).then_some(answer)
        });
        assert_eq!(answer.status, 202, "{}", answer.text());
        let batch_id = answer.json()["batchId"].as_str().expect("an id").to_owned();
        Submitted {
            external_id,
            batch_id,
        }
    }

    /// Waits for the end of a batch, and checks each of its cards.
    fn check(&self, submitted: &Submitted) {
        let path = format!("/company/enroll_batch/{}", submitted.batch_id);
        let result = eventually("the batch ends", PATIENCE, || {
            let answer = self.call("GET", &path, "");
            let is_final = answer.status == 200 && answer.json()["status"] != "IN_PROGRESS";
            if !is_final {
                pause(500);
            }
            is_final.then(|| answer.json())
        });
        let context = &submitted.external_id;
        assert_eq!(result["status"], "SUCCESS_BATCH", "{context}");
        let cards: Vec<&Value> = result["profiles"]
            .as_array()
            .expect("profiles")
            .iter()
            .flat_map(|profile| profile["cards"].as_array().expect("cards"))
            .collect();
        assert_eq!(cards.len(), CARDS, "{context}");
        for (place, card) in cards.iter().enumerate() {
            assert_eq!(card["externalCardId"], format!("{context}.c{place}"));
            if place.is_multiple_of(REFUSED_EVERY) {
                assert_eq!(
                    (&card["status"], &card["reason"]),
                    (&json!("failed"), &json!("PAN_INELIGIBLE"))
                );
            } else {
                assert_eq!(card["status"], "accepted", "{context} {place}");
            }
        }
        let refused = CARDS.div_ceil(REFUSED_EVERY);
        assert_eq!(
            (&result["failed"], &result["accepted"]),
            (&json!(refused), &json!(CARDS - refused))
        );
    }

    fn call(&self, method: &str, path: &str, body: &str) -> Answer {
        let url = format!("{}{path}", Stack::here().endpoints.api);
        let mut claims = json!({
            "iss": self.partner.client, "iat": now(), "exp": now() + 300, "jti": random_hex(8),
            "actionCode": "B", "htm": method, "htu": url,
        });
        if !body.is_empty() {
            claims["bodyHash"] = STANDARD.encode(Sha256::digest(body)).into();
        }
        let request = Request::builder()
            .method(method)
            .uri(url)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {}", sign(&claims)));
        call::send(request.body(body.as_bytes().to_vec()).expect("a request"))
    }
}

/// Number of the card at this place of the run: one that Mastercard refuses, or one of a kind.
fn card_number(place: usize) -> String {
    if (place % CARDS).is_multiple_of(REFUSED_EVERY) {
        return INELIGIBLE.to_owned();
    }
    let start = format!("52340{:010}", 2_000_000_000 + place);
    let digit = (0..10)
        .map(|digit| format!("{start}{digit}"))
        .find(|number| passes_luhn(number));
    digit.expect("one of ten digits fits")
}

/// Largest resident memory of a running function of the batch part, in MB; none where no process is found.
pub(crate) fn largest_function() -> Option<u64> {
    let processes = fs::read_dir("/proc").ok()?.flatten();
    processes
        .filter_map(|process| {
            let environment = fs::read(process.path().join("environ")).ok()?;
            // CloudFormation makes the name from those of the stacks and of the function: local-Batches-…-BatchPoll-….
            let is_batch = environment.split(|byte| *byte == 0).any(|variable| {
                variable.starts_with(b"AWS_LAMBDA_FUNCTION_NAME=")
                    && variable.windows(6).any(|part| part == b"-Batch")
            });
            if !is_batch {
                return None;
            }
            let status = fs::read_to_string(process.path().join("status")).ok()?;
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
            peak.split_whitespace().next()?.parse::<u64>().ok()
        })
        .max()
        .map(|kilobytes| kilobytes / 1024)
}
