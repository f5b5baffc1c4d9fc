//! Ports of the servers: the usual ones where they are free, others where not.

use std::collections::BTreeMap;
use std::fs;
use std::iter;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::files;

/// One port for each address of the system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ports {
    /// The widget and its API: the reverse proxy in front of the gateway.
    pub(crate) api: u16,
    /// The demo partner's site.
    pub(crate) partner: u16,
    /// The demo partner's receiver of confirmations.
    pub(crate) receiver: u16,
    /// Mastercard's stand-in.
    pub(crate) mastercard: u16,
    /// Its administration: faults on demand.
    pub(crate) admin: u16,
    /// The local AWS.
    pub(crate) aws: u16,
    /// Port by which the functions call it while their calls are recorded.
    pub(crate) recorder: u16,
}

/// Ports that the documentation names.
pub(crate) const USUAL: Ports = Ports {
    api: 8700,
    partner: 8701,
    receiver: 8702,
    mastercard: 8703,
    admin: 8704,
    aws: 8705,
    recorder: 8706,
};
/// Any free ports, for tests.
pub(crate) const ANY: Ports = Ports {
    api: 0,
    partner: 0,
    receiver: 0,
    mastercard: 0,
    admin: 0,
    aws: 0,
    recorder: 0,
};

/// Which servers are running: they keep their ports.
#[derive(Clone, Copy)]
pub(crate) struct Running {
    pub(crate) sandbox: bool,
    pub(crate) ministack: bool,
}

impl Ports {
    /// The wanted ports where they are free, else those of the last start, else any. Written to `file`.
    pub(crate) fn choose(file: &Path, wanted: &Ports, running: Running) -> Result<Self> {
        let last: Option<Ports> = fs::read(file)
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok());
        let mut chosen = BTreeMap::new();
        let mut port = |name: &'static str, running: bool, of: fn(&Ports) -> u16| -> Result<u16> {
            let last = last.as_ref().map(of);
            let port = match last {
                Some(last) if running => last,
                _ => first_free([of(wanted)].into_iter().chain(last), |port| {
                    chosen.contains_key(&port)
                })?,
            };
            chosen.insert(port, name);
            Ok(port)
        };
        let ports = Self {
            api: port("api", running.sandbox, |ports| ports.api)?,
            partner: port("partner", running.sandbox, |ports| ports.partner)?,
            receiver: port("receiver", running.sandbox, |ports| ports.receiver)?,
            mastercard: port("mastercard", running.sandbox, |ports| ports.mastercard)?,
            admin: port("admin", running.sandbox, |ports| ports.admin)?,
            aws: port("aws", running.ministack, |ports| ports.aws)?,
            recorder: port("recorder", running.sandbox || running.ministack, |ports| {
                ports.recorder
            })?,
        };
        files::write(file, &serde_json::to_vec_pretty(&ports)?)?;
        Ok(ports)
    }

    /// Those that are not the wanted ones, for a remark: people have the usual addresses in their heads.
    pub(crate) fn moved_from(&self, wanted: &Ports) -> Vec<(&'static str, u16, u16)> {
        let pairs = [
            ("api", wanted.api, self.api),
            ("partner", wanted.partner, self.partner),
            ("receiver", wanted.receiver, self.receiver),
            ("mastercard", wanted.mastercard, self.mastercard),
            ("admin", wanted.admin, self.admin),
            ("aws", wanted.aws, self.aws),
        ];
        pairs
            .into_iter()
            .filter(|(_, wanted, got)| *wanted != 0 && wanted != got)
            .collect()
    }

    /// `endpoints.json`, for the tests and for people who try with their own tools.
    pub(crate) fn endpoints(&self) -> serde_json::Value {
        serde_json::json!({
            "api": format!("http://localhost:{}", self.api),
            "partner": format!("http://localhost:{}", self.partner),
            "receiver": format!("https://localhost:{}", self.receiver),
            "mastercard": format!("https://localhost:{}", self.mastercard),
            "admin": format!("http://localhost:{}", self.admin),
            "aws": format!("http://127.0.0.1:{}", self.aws),
        })
    }
}

/// A port that nobody listens on at this moment, for a server that is started right after.
pub(crate) fn free() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("there is no free port")?;
    Ok(listener.local_addr()?.port())
}

/// `wanted` where nobody has it, else a free one.
pub(crate) fn free_or_another(wanted: u16) -> Result<u16> {
    first_free(iter::once(wanted), |_| false)
}

fn first_free(candidates: impl Iterator<Item = u16>, given_away: impl Fn(u16) -> bool) -> Result<u16> {
    let usable = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() && !given_away(port);
    for port in candidates {
        if port != 0 && usable(port) {
            return Ok(port);
        }
    }
    loop {
        let port = free()?;
        if !given_away(port) {
            return Ok(port);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Running = Running {
        sandbox: false,
        ministack: false,
    };

    fn file(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("xtask-ports-{name}-{}", std::process::id()))
    }

    #[test]
    fn taken_port_is_replaced_and_the_replacement_remembered() {
        let file = file("taken");
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken_port = taken.local_addr().unwrap().port();
        let wanted = Ports {
            api: taken_port,
            ..ANY
        };

        let first = Ports::choose(&file, &wanted, NONE).unwrap();
        assert_ne!(first.api, taken_port);
        assert_eq!(first.moved_from(&wanted), [("api", taken_port, first.api)]);
        assert_eq!(Ports::choose(&file, &wanted, NONE).unwrap(), first);
        drop(taken);
        assert_eq!(
            Ports::choose(&file, &wanted, NONE).unwrap(),
            Ports {
                api: taken_port,
                ..first
            }
        );
        std::fs::remove_file(file).unwrap();
    }

    #[test]
    fn running_server_keeps_its_port() {
        let file = file("running");
        let first = Ports::choose(&file, &ANY, NONE).unwrap();
        let _server = TcpListener::bind((Ipv4Addr::LOCALHOST, first.aws)).unwrap();

        let again = Ports::choose(
            &file,
            &ANY,
            Running {
                sandbox: false,
                ministack: true,
            },
        )
        .unwrap();
        assert_eq!(again.aws, first.aws);
        assert_ne!(Ports::choose(&file, &ANY, NONE).unwrap().aws, first.aws);
        std::fs::remove_file(file).unwrap();
    }

    #[test]
    fn ports_are_distinct() {
        let file = file("twice");
        let same = first_free(std::iter::empty(), |_| false).unwrap();
        let wanted = Ports {
            api: same,
            partner: same,
            ..ANY
        };
        let ports = Ports::choose(&file, &wanted, NONE).unwrap();
        assert_eq!(ports.api, same);
        assert_ne!(ports.partner, same);
        std::fs::remove_file(file).unwrap();
    }
}
