//! An issuer's machine: a folder with a card file, and the command.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::service::{CLIENT, KID, Service, key_list};

pub(crate) const HEADER: &str = "externalConsumerId,externalCardId,primaryAccountNumber,panExpirationMonth,panExpirationYear,emailAddress,lastName";
const SIGNING_KEY: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../shared/enrollment/src/testing/private-key.pem"
);

/// Folder of a test, deleted with this value.
pub(crate) struct Issuer {
    pub(crate) folder: PathBuf,
    service: Service,
}

/// Result of a command.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Issuer {
    pub(crate) fn new(service: &Service) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("enrollctl-batch-{}-{number}", std::process::id()));
        fs::create_dir_all(folder.join("tmp")).unwrap();
        fs::write(folder.join("keys.json"), key_list()).unwrap();
        Self {
            folder,
            service: service.clone(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn write(&self, rows: &[String]) {
        let mut text = format!("{HEADER}\n");
        for row in rows {
            text.push_str(row);
            text.push('\n');
        }
        fs::write(self.path("cards.csv"), text).unwrap();
    }

    /// The command `batch submit` with the options of every test, and others.
    pub(crate) fn submit(&self, options: &[&str]) -> Command {
        let mut command = self.enrollctl(&["batch", "submit"]);
        command.arg(self.path("cards.csv"));
        command.args(["--url", &self.service.url(), "--client", CLIENT]);
        command
            .args(["--kid", KID, "--encryption-key"])
            .arg(self.path("keys.json"));
        command.args(["--window", "500", "--key", SIGNING_KEY]);
        command.arg("--state").arg(self.path("state"));
        command.args(options);
        command
    }

    /// The command `batch status` or `batch results` about the run.
    pub(crate) fn about(&self, subcommand: &str, asks: bool, options: &[&str]) -> Command {
        let mut command = self.enrollctl(&["batch", subcommand]);
        command.arg("--state").arg(self.path("state"));
        if asks {
            command.args(["--key", SIGNING_KEY]);
        }
        command.args(options);
        command
    }

    fn enrollctl(&self, arguments: &[&str]) -> Command {
        // `cargo xtask soak` takes the optimized program.
        let program = std::env::var("ENROLLCTL_PROGRAM");
        let mut command = Command::new(program.as_deref().unwrap_or(env!("CARGO_BIN_EXE_enrollctl")));
        command.args(arguments);
        command.env("TMPDIR", self.path("tmp"));
        command.stdin(Stdio::null());
        command
    }

    /// The result file, without its header.
    pub(crate) fn results(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("cards.results.csv")).unwrap();
        text.lines().skip(1).map(str::to_owned).collect()
    }

    /// Every file below the folder, but the card file.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        collect(&self.folder, &mut files);
        files.retain(|file| !file.ends_with("cards.csv"));
        files
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        // A folder that stays behind harms nobody.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// Runs a command to its end.
pub(crate) fn run(mut command: Command) -> Ran {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    Ran {
        code: status.code(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// A row of a consumer with a card. The number follows from the serial.
pub(crate) fn row(consumer: &str, card: &str, serial: u32) -> String {
    let number = number(serial);
    format!(
        "{consumer},{card},{number},{},29,person{serial}@example.com,Surname{serial}",
        serial % 12 + 1
    )
}

/// Rows of consumers with two cards each.
pub(crate) fn rows(cards: u32) -> Vec<String> {
    (0..cards)
        .map(|serial| {
            row(
                &format!("consumer-{}", serial / 2),
                &format!("card-{serial}"),
                serial,
            )
        })
        // The columns of the consumer are those of its first line.
        .enumerate()
        .map(|(at, row)| if at % 2 == 0 { row } else { without_consumer(&row) })
        .collect()
}

fn without_consumer(row: &str) -> String {
    let mut text = String::new();
    let fields: Vec<&str> = row.split(',').collect();
    write!(text, "{},,", fields[..5].join(",")).unwrap();
    text
}

/// A number of one of seven account ranges, with a right check digit.
pub(crate) fn number(serial: u32) -> String {
    let body = format!("5204740{}{serial:07}", serial % 7);
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
