//! The traces of a run have no card number and name nobody; planted ones are found.

#[cfg(test)]
mod files;
#[cfg(test)]
mod local_aws;
#[cfg(test)]
mod planted;
#[cfg(test)]
mod provoked;

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use canary::{find, find_persons};
    use flows::card::{Card, random_hex};
    use flows::local_aws::Settings;
    use flows::page::Page;
    use flows::stack::Stack;
    use jiff::SignedDuration;

    use crate::planted::Planted;
    use crate::{files, local_aws, provoked};

    /// Something that the run left behind.
    pub(crate) struct Trace {
        pub(crate) place: String,
        pub(crate) content: Vec<u8>,
    }

    /// Places that must be there, or the search has gone blind.
    const PLACES: [&str; 4] = [
        "demo/demo.json",
        "logs/ministack.log",
        "logs/sandbox.log",
        "endpoints.json",
    ];

    #[test]
    #[ignore = "needs the local stack: cargo xtask test --only canary"]
    fn traces_of_the_run_have_no_card_number() {
        let _alone = alone();
        // However little ran before.
        let page = Page::new();
        let answer = page.settle(&page.submission(&Card::fresh()));
        assert_eq!(answer.json()["status"], "SUCCESS_ENROLLMENT", "{}", answer.text());
        let jwe = provoked::everything();

        let traces = traces();
        for place in PLACES.into_iter().chain(Settings::read().tables()) {
            assert!(traces.iter().any(|trace| trace.place.contains(place)), "{place}");
        }
        // The bucket of JWEs keeps them for a day.
        let has_jwe = |trace: &Trace| String::from_utf8_lossy(&trace.content).contains(&jwe);
        let mut objects = traces.iter().filter(|trace| trace.place.contains("/s3/"));
        assert!(objects.any(has_jwe), "the bucket of batches is not searched");
        let found = in_each(&traces, |trace| {
            let mut found = findings(trace);
            if names_nobody(trace) {
                found.extend(findings_of_persons(trace));
            }
            found
        });
        assert!(found.is_empty(), "{}", found.join("\n"));
    }

    #[test]
    #[ignore = "needs the local stack: cargo xtask test --only canary"]
    fn planted_number_is_found_at_each_kind_of_place() {
        let _alone = alone();
        let planted = Planted::new(&format!("canary-{}", random_hex(4)), &Card::fresh().number);
        flows::time::eventually("the log's line", SignedDuration::from_secs(10), || {
            let lines = local_aws::log();
            lines.iter().any(|line| planted.in_log(line)).then_some(())
        });
        let traces = traces();
        // The search of all else is the other test's, and takes its time.
        let suspects = traces.iter().filter(|trace| planted.may_be_in(trace));
        let found: Vec<String> = suspects.flat_map(findings).collect();
        for (place, layers) in planted.places() {
            let here = |line: &&String| line.contains(&place) && line.contains(planted.masked());
            let line = found.iter().find(here);
            let line = line.unwrap_or_else(|| panic!("not found: {place}\n{}", found.join("\n")));
            assert!(line.ends_with(layers), "{line}");
        }
        let suspects = traces
            .iter()
            .filter(|trace| planted.may_be_in(trace) && names_nobody(trace));
        let found: Vec<String> = suspects.flat_map(findings_of_persons).collect();
        for (place, kind) in planted.persons() {
            let here = |line: &String| line.contains(&place) && line.contains(kind);
            assert!(
                found.iter().any(here),
                "not found: {kind} in {place}\n{}",
                found.join("\n")
            );
        }
    }

    #[test]
    #[ignore = "needs the local stack: cargo xtask test --only canary"]
    fn searched_ranges_are_those_of_the_demo_program() {
        for range in &Stack::here().program().bin_ranges {
            for bin in [&range.from, &range.to] {
                let number = Card::in_range(&bin[..6]).number;
                assert_eq!(find(number.as_bytes()).len(), 1, "{bin}");
            }
        }
    }

    fn traces() -> Vec<Trace> {
        let mut traces = files::traces();
        traces.extend(local_aws::traces());
        traces
    }

    /// Findings of a search in all traces, on all processors: each takes the next trace when it is done with one.
    fn in_each(traces: &[Trace], search: impl Fn(&Trace) -> Vec<String> + Sync) -> Vec<String> {
        let next = AtomicUsize::new(0);
        let work = || {
            let taken = std::iter::from_fn(|| traces.get(next.fetch_add(1, Ordering::Relaxed)));
            taken.flat_map(&search).collect::<Vec<_>>()
        };
        let count = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            let workers: Vec<_> = (0..count).map(|_| scope.spawn(work)).collect();
            let ended = workers.into_iter().map(thread::ScopedJoinHandle::join);
            ended.flat_map(|found| found.expect("a search ends")).collect()
        })
    }

    fn findings(trace: &Trace) -> Vec<String> {
        find(&trace.content)
            .iter()
            .map(|finding| format!("{}: {finding}", trace.place))
            .collect()
    }

    /// Whether a trace may name nobody: tables, where persons are sealed, queues, logs, secrets. The other files are the
    /// stand-in's, whose customers those are, and the tests' own.
    fn names_nobody(trace: &Trace) -> bool {
        ["table ", "queue ", "log groups", "secret "]
            .iter()
            .any(|place| trace.place.starts_with(place))
    }

    fn findings_of_persons(trace: &Trace) -> Vec<String> {
        find_persons(&trace.content)
            .iter()
            .map(|finding| format!("{}: {finding}", trace.place))
            .collect()
    }

    /// One test plants what the other must not find. The file is unlocked when it is closed.
    fn alone() -> File {
        let place = Stack::here().file("canary.lock");
        let file = File::options().create(true).append(true).open(place);
        let file = file.expect("the stack's folder can be written");
        file.lock().expect("a file can be locked");
        file
    }
}
