//! Several runs at once, each worker with tables of its own: a sweep sees only its own run.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::plan::Plan;
use crate::report::{self, Judged};
use crate::run;
use crate::stage::Ground;

/// Runs plans in the engine at one address.
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

    /// How many runs have failed.
    pub(crate) fn failed(&self) -> usize {
        self.failed.load(Ordering::Relaxed)
    }

    /// Runs all of them; the answers come in their order.
    pub(crate) fn run(&self, plans: Vec<Plan>) -> Vec<Judged> {
        let count = self.count.min(plans.len());
        let waiting = Mutex::new(plans.into_iter().enumerate());
        let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
        let mut judged: Vec<(usize, Judged)> = thread::scope(|scope| {
            let workers: Vec<_> = (0..count).map(|_| scope.spawn(|| self.work(next))).collect();
            let done = workers
                .into_iter()
                .map(|worker| worker.join().expect("a worker ends"));
            done.flatten().collect()
        });
        judged.sort_by_key(|(place, _)| *place);
        judged.into_iter().map(|(_, judged)| judged).collect()
    }

    /// Tells a failure as soon as there is one.
    fn look_at(&self, judged: &Judged) {
        if !judged.ran.wrong.is_empty() {
            let before = self.failed.fetch_add(1, Ordering::Relaxed);
            eprintln!("{}\n", report::failure(judged, self.seed, before));
        }
    }

    fn work(&self, next: impl Fn() -> Option<(usize, Plan)>) -> Vec<(usize, Judged)> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let ground = Ground::new(&self.endpoint).await;
            let mut judged = Vec::new();
            while let Some((place, plan)) = next() {
                let ran = run::run(&ground, plan.scenario, &plan.faults, self.seed).await;
                let run = Judged { plan, ran };
                self.look_at(&run);
                judged.push((place, run));
            }
            ground.drop_tables().await;
            judged
        })
    }
}
