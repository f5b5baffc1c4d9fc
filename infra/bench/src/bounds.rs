//! Bounds of what can be counted. Times are printed and judged by whoever reads them: they depend on the machine and on what
//! else it does.

/// A zipped bootstrap as built for this machine, in bytes. `cargo xtask build` holds those for AWS, which its linker makes
/// smaller, to 5 MB. The largest are those that call Mastercard and read the bucket of batches.
pub(crate) const ZIP: usize = 7_500_000;
/// The page's parts together, compressed, in bytes.
pub(crate) const PAGE: usize = 25 * 1024;
/// Instructions from a function's start to its first request for an event, in multiples of the bare function's.
pub(crate) const INIT: f64 = 8.0;
/// Instructions from a function's start to its first answer, in multiples of the bare function's: an opening, which verifies a
/// token and opens sealed values, has ten.
pub(crate) const FIRST_ANSWER: f64 = 13.0;

/// Counts that exceed their bounds.
#[derive(Debug, Default)]
pub(crate) struct Exceeded(Vec<String>);

impl Exceeded {
    /// Notes `what` where `count` is above `bound`.
    pub(crate) fn judge(&mut self, what: &str, count: usize, bound: usize) {
        if count > bound {
            self.0.push(format!("{what}: {count}, the bound is {bound}"));
        }
    }

    /// As [`Self::judge`], of a ratio of counts.
    pub(crate) fn judge_ratio(&mut self, what: &str, ratio: f64, bound: f64) {
        if ratio > bound {
            self.0.push(format!("{what}: {ratio:.1}, the bound is {bound}"));
        }
    }

    /// All of it in one line; none where every bound is kept.
    pub(crate) fn told(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_at_its_bound_is_kept_and_above_it_is_named() {
        let mut exceeded = Exceeded::default();
        exceeded.judge("calls", 6, 6);
        exceeded.judge_ratio("instructions", 8.0, 8.0);
        assert_eq!(exceeded.told(), None);
        exceeded.judge("calls", 7, 6);
        exceeded.judge_ratio("instructions", 8.06, 8.0);
        let told = exceeded.told().unwrap();
        assert_eq!(
            told,
            "calls: 7, the bound is 6; instructions: 8.1, the bound is 8"
        );
    }
}
