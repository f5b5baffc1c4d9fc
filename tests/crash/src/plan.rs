//! What goes wrong in one run: `scenario/point/mode`, and a second `+point/mode` for a pair.

use std::fmt;

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
    RivalBegins,
    /// What comes next from elsewhere comes here, and runs to its end before the delivery goes on.
    RivalOvertakes,
    /// What comes next from elsewhere comes to the same call; then the delivery runs to its end before the other goes
    /// on.
    RivalCrosses,
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
        Self::RivalBegins,
        Self::RivalOvertakes,
        Self::RivalCrosses,
    ];

    /// Whether something else comes meanwhile.
    pub(crate) fn is_of_rival(self) -> bool {
        matches!(
            self,
            Self::RivalBegins | Self::RivalOvertakes | Self::RivalCrosses
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
            Self::RivalBegins => "rival-begins",
            Self::RivalOvertakes => "rival-overtakes",
            Self::RivalCrosses => "rival-crosses",
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The scenario's name.
    pub(crate) scenario: String,
    /// In the order of their points. None: the clean run.
    pub(crate) faults: Vec<Fault>,
}

impl Plan {
    /// Reads what [`fmt::Display`] writes; the name alone is the clean run.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (scenario, faults) = text.split_once('/').unwrap_or((text, ""));
        let faults = faults.split('+').filter(|fault| !fault.is_empty()).map(|fault| {
            let (point, mode) = fault.split_once('/')?;
            Some(Fault {
                point: point.parse().ok()?,
                mode: Mode::from_text(mode)?,
            })
        });
        Some(Self {
            scenario: scenario.to_owned(),
            faults: faults.collect::<Option<_>>()?,
        })
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.scenario)?;
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
            "enrols/1/twice-crossed",
            "enrols/9/lost",
            "two-tabs-replace/9/rival-overtakes",
        ] {
            assert_eq!(Plan::parse(text).unwrap().to_string(), text);
        }
        for wrong in ["enrols/", "enrols/x/lost", "enrols/1/other", "enrols/1"] {
            let read = Plan::parse(wrong).map(|plan| plan.to_string());
            assert_ne!(read.as_deref(), Some(wrong));
        }
    }
}
