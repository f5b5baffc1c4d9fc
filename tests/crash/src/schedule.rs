//! Fault schedules: `scenario/point/mode`, and a second `+point/mode` for a pair.

use std::fmt;

use crate::any_scenario::AnyScenario;

/// Mode of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    /// The process dies before the call.
    StopBefore,
    /// The process dies after the call did its work.
    StopAfter,
    /// The call does its work, takes its whole time limit, and reports a failure.
    TimeOut,
    /// The trigger is delivered twice: the second delivery starts here and ends before the first continues.
    Overtaken,
    /// The trigger is delivered twice: the second delivery starts here and reaches the same call; then the first ends before
    /// the second continues.
    Crossed,
    /// The call reports success and does nothing. Only a wake-up may be lost.
    Lost,
    /// A concurrent actor makes its first step here: a token is accepted.
    ConcurrentBegins,
    /// A concurrent actor runs here, to its end, before the delivery continues.
    ConcurrentOvertakes,
    /// A concurrent actor reaches the same call; then the delivery ends before the actor continues.
    ConcurrentCrosses,
}

impl Mode {
    /// Modes of every port.
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

    /// Whether a concurrent actor runs.
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

/// Fault at one injection point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Number of the point in its run, from 1.
    pub(crate) point: usize,
    /// Mode of the fault.
    pub(crate) mode: Mode,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.point, self.mode.as_str())
    }
}

/// Faults of one run.
#[derive(Debug, Clone)]
pub(crate) struct FaultSchedule {
    pub(crate) scenario: AnyScenario,
    /// Faults in the order of their points; none for the clean run.
    pub(crate) faults: Vec<Fault>,
}

/// Error of parsing a fault schedule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ParseScheduleError {
    Scenario(String),
    Fault,
}

impl FaultSchedule {
    /// Parses the text of [`fmt::Display`]. The scenario's name alone is the clean run.
    pub(crate) fn parse(text: &str) -> Result<Self, ParseScheduleError> {
        let (scenario, faults) = match text.split_once('/') {
            None => (text, Vec::new()),
            Some((scenario, faults)) => (scenario, faults.split('+').collect()),
        };
        let scenario =
            AnyScenario::named(scenario).ok_or_else(|| ParseScheduleError::Scenario(scenario.to_owned()))?;
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
        formatter.write_str(self.scenario.name())?;
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
            "batch/3/stop-after",
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
