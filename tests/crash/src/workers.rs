//! Workers: several runs at once, each in tables of its own, so that a sweep sees its own run alone.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::any_scenario::AnyScenario;
use crate::batch;
use crate::fixture::SharedFixture;
use crate::report::{self, CheckedRun};
use crate::run;
use crate::schedule::FaultSchedule;

/// Workers that run fault schedules in one engine.
pub(crate) struct Workers {
    endpoint: String,
    seed: u64,
    count: usize,
    failed: AtomicUsize,
}

impl Workers {
    pub(crate) fn new(endpoint: &str, seed: u64) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            seed,
            // A run waits for the engine about as long as it works.
            failed: AtomicUsize::new(0),
            count: 2 * thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// Number of failed runs.
    pub(crate) fn failed(&self) -> usize {
        self.failed.load(Ordering::Relaxed)
    }

    /// Runs all schedules. The results come in the order of the schedules.
    pub(crate) fn run(&self, schedules: Vec<FaultSchedule>) -> Vec<CheckedRun> {
        let count = self.count.min(schedules.len());
        let waiting = Mutex::new(schedules.into_iter().enumerate());
        let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
        let mut checked: Vec<(usize, CheckedRun)> = thread::scope(|scope| {
            let workers: Vec<_> = (0..count).map(|_| scope.spawn(|| self.work(next))).collect();
            let done = workers
                .into_iter()
                .map(|worker| worker.join().expect("a worker ends"));
            done.flatten().collect()
        });
        checked.sort_by_key(|(place, _)| *place);
        checked.into_iter().map(|(_, checked)| checked).collect()
    }

    /// Prints a failure as soon as there is one.
    fn look_at(&self, checked: &CheckedRun) {
        if !checked.result.wrong.is_empty() {
            let before = self.failed.fetch_add(1, Ordering::Relaxed);
            eprintln!("{}\n", report::failure(checked, self.seed, before));
        }
    }

    fn work(&self, next: impl Fn() -> Option<(usize, FaultSchedule)>) -> Vec<(usize, CheckedRun)> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let shared = SharedFixture::new(&self.endpoint).await;
            let mut checked = Vec::new();
            while let Some((place, schedule)) = next() {
                let result = match schedule.scenario {
                    AnyScenario::Customer(scenario) => {
                        run::run(&shared, scenario, &schedule.faults, self.seed).await
                    }
                    AnyScenario::Issuer(scenario) => {
                        batch::run::run(&shared, scenario, &schedule.faults, self.seed).await
                    }
                };
                let run = CheckedRun { schedule, result };
                self.look_at(&run);
                checked.push((place, run));
            }
            shared.drop_tables().await;
            checked
        })
    }
}
