//! Card files for tests, and what a check or a plan makes of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use card_file::{
    BatchLimits, CardFile, CheckOptions, CheckedFile, Faults, FileError, Layout, Plaintext, Window, check,
};
use serde_json::Value;

pub(crate) const HEADER: &str = "externalConsumerId,externalCardId,primaryAccountNumber,panExpirationMonth,panExpirationYear,emailAddress";
pub(crate) const LIMITS: BatchLimits = BatchLimits {
    cards: 250,
    body_bytes: 512 * 1024,
    other_bytes: 1024,
};

/// Folder of a test, deleted with this value.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("card-file-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self, content: &[u8]) -> PathBuf {
        let path = self.0.join("cards.csv");
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn options(&self) -> CheckOptions {
        CheckOptions {
            layout: Layout::default(),
            has_unique_card_ids: false,
            scratch: self.0.clone(),
            listed_faults: 100,
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Checks a file's content.
pub(crate) fn checked(content: &[u8]) -> Result<Result<CheckedFile, Faults>, FileError> {
    let folder = Folder::new();
    let file = folder.file(content);
    check(&file, &folder.options(), &mut Window::new(), |_| ())
}

/// Faults of a file, as they are shown.
pub(crate) fn faults(content: &[u8]) -> Vec<String> {
    match checked(content).unwrap() {
        Ok(_) => Vec::new(),
        Err(faults) => faults.listed().iter().map(ToString::to_string).collect(),
    }
}

/// A batch: its content, its manifest and the lines of its cards.
pub(crate) struct Batch {
    pub(crate) content: Value,
    pub(crate) manifest: Value,
    pub(crate) lines: Vec<u64>,
    pub(crate) body_bytes: usize,
}

/// Batches of a file, window by window.
pub(crate) fn windows(path: &Path, layout: &Layout, limits: &BatchLimits) -> Vec<Vec<Batch>> {
    let mut file = CardFile::open(path, layout).unwrap();
    let (mut window, mut faults) = (Window::new(), Faults::up_to(10));
    let mut windows = Vec::new();
    while file.next_window(&mut window, &mut faults).unwrap() {
        let plans = window.plan(limits);
        windows.push(plans.iter().map(|plan| batch(&window, plan, limits)).collect());
    }
    assert!(faults.is_empty(), "{:?}", faults.listed());
    windows
}

fn batch(window: &Window, plan: &card_file::BatchPlan, limits: &BatchLimits) -> Batch {
    let (mut content, mut manifest) = (Plaintext::default(), Vec::new());
    window.write_content(plan, &mut content);
    window.write_manifest(plan, &mut manifest);
    let batch = Batch {
        content: serde_json::from_slice(&content).unwrap(),
        manifest: serde_json::from_slice(&manifest).unwrap(),
        lines: window.lines(plan).collect(),
        body_bytes: limits.other_bytes + content.len().div_ceil(3) * 4 + manifest.len(),
    };
    assert_eq!(batch.lines.len(), plan.cards());
    batch
}

/// Cards of a batch's content, in its order.
pub(crate) fn cards(batch: &Batch) -> Vec<&Value> {
    list(&batch.content["consumers"])
        .iter()
        .flat_map(|consumer| list(&consumer["cards"]))
        .collect()
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

/// A number of 16 digits with a right check digit.
pub(crate) fn number(prefix: u64, serial: u64) -> String {
    let length = 15 - prefix.to_string().len();
    let body = format!("{prefix}{serial:0length$}");
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0') * if place % 2 == 0 { 2 } else { 1 };
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}
