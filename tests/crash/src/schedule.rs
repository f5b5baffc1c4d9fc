//! What goes wrong in one run: `scenario/point/mode`, and a second `+point/mode` for a pair.

use std::fmt;

use crate::scenario::{self, Scenario};

/// How an effect is disturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    /// The process dies before the call.
    StopBefore,
    /// The process dies after the call did its work.
    StopAfter,
    /// The call does its work, takes all the time it may, and says that it failed.
    TimeOut,
    /// The trigger comes twice: the second delivery begins here, and runs to its end before the first goes on.
    Overtaken,
    /// The trigger comes twice: the second delivery begins here, and comes to the same call; then the first runs to its
    /// end before the second goes on.
    Crossed,
    /// The call says that it did its work, and did nothing. Only a wake-up may be lost.
    Lost,
    /// What comes next from elsewhere comes here, and only begins: a customer whose token is accepted.
    ConcurrentBegins,
    /// What comes next from elsewhere comes here, and runs to its end before the delivery goes on.
    ConcurrentOvertakes,
    /// What comes next from elsewhere comes to the same call; then the delivery runs to its end before the other goes
    /// on.
    ConcurrentCrosses,
}

impl Mode {
    /// What a port of any kind may do.
    pub(crate) const OF_ANY: [Self; 5] = [
        Self::StopBefore,
        Self::StopAfter,
        Self::TimeOut,
        Self::Overtaken,
        Self::Crossed,
    ];
    const OF_SOME: [Self; 4] = [
        Self::Lost,
        Self::ConcurrentBegins,
        Self::ConcurrentOvertakes,
        Self::ConcurrentCrosses,
    ];

    /// Whether something else comes meanwhile.
    pub(crate) fn is_concurrent(self) -> bool {
        matches!(
            self,
            Self::ConcurrentBegins | Self::ConcurrentOvertakes | Self::ConcurrentCrosses
        )
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::StopBefore => "stop-before",
            Self::StopAfter => "stop-after",
            Self::TimeOut => "time-out",
            Self::Overtaken => "twice-overtaken",
            Self::Crossed => "twice-crossed",
            Self::Lost => "lost",
            Self::ConcurrentBegins => "concurrent-begins",
            Self::ConcurrentOvertakes => "concurrent-overtakes",
            Self::ConcurrentCrosses => "concurrent-crosses",
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        Self::OF_ANY
            .into_iter()
            .chain(Self::OF_SOME)
            .find(|mode| mode.as_str() == text)
    }
}

/// One disturbed effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The number of the call in its run, from 1.
    pub(crate) point: usize,
    /// What happens there.
    pub(crate) mode: Mode,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.point, self.mode.as_str())
    }
}

/// One run.
#[derive(Debug, Clone)]
pub(crate) struct FaultSchedule {
    pub(crate) scenario: &'static Scenario,
    /// In the order of their points. None: the clean run.
    pub(crate) faults: Vec<Fault>,
}

/// Why a text is no plan.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ParseScheduleError {
    Scenario(String),
    Fault,
}

impl FaultSchedule {
    /// Reads what [`fmt::Display`] writes; the name alone is the clean run.
    pub(crate) fn parse(text: &str) -> Result<Self, ParseScheduleError> {
        let (scenario, faults) = match text.split_once('/') {
            None => (text, Vec::new()),
            Some((scenario, faults)) => (scenario, faults.split('+').collect()),
        };
        let scenario =
            scenario::named(scenario).ok_or_else(|| ParseScheduleError::Scenario(scenario.to_owned()))?;
        let fault = |fault: &str| {
            let (point, mode) = fault.split_once('/')?;
            Some(Fault {
                point: point.parse().ok()?,
                mode: Mode::from_text(mode)?,
            })
        };
        let faults = faults.into_iter().map(fault).collect::<Option<_>>();
        Ok(Self {
            scenario,
            faults: faults.ok_or(ParseScheduleError::Fault)?,
        })
    }
}

impl fmt::Display for ParseScheduleError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scenario(name) => write!(formatter, "there is no scenario '{name}'"),
            Self::Fault => {
                formatter.write_str(
                    "it is a scenario, or scenario/point/mode with +point/mode for more; the modes are",
                )?;
                let mut modes = Mode::OF_ANY.iter().chain(&Mode::OF_SOME);
                modes.try_for_each(|mode| write!(formatter, " {}", mode.as_str()))
            }
        }
    }
}

impl fmt::Display for FaultSchedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.scenario.name)?;
        for (place, fault) in self.faults.iter().enumerate() {
            write!(formatter, "{}{fault}", if place == 0 { '/' } else { '+' })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_reads_back_as_it_was_printed() {
        for text in [
            "closed-browser",
            "closed-browser/17/stop-after",
            "closed-browser/17/stop-after+23/stop-before",
            "enrolls/1/twice-crossed",
            "enrolls/9/lost",
            "two-tabs-replace/9/concurrent-overtakes",
        ] {
            assert_eq!(FaultSchedule::parse(text).unwrap().to_string(), text);
        }
        for wrong in [
            "enrolls/",
            "enrolls/x/lost",
            "enrolls/1/other",
            "enrolls/1",
            "enrolls/1/lost+",
        ] {
            assert_eq!(
                FaultSchedule::parse(wrong).unwrap_err(),
                ParseScheduleError::Fault,
                "{wrong}"
            );
        }
        for wrong in ["", "nosuch", "nosuch/1/lost"] {
            let why = FaultSchedule::parse(wrong).unwrap_err();
            assert!(matches!(why, ParseScheduleError::Scenario(_)), "{wrong}: {why}");
        }
    }
}
