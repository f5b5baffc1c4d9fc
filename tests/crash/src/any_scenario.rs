//! Scenarios of both kinds.

use crate::batch::scenario::{self as of_issuers, IssuerScenario};
use crate::scenario::{self, Scenario};

/// Scenario of a customer or of an issuer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AnyScenario {
    /// Customer with cards and tabs.
    Customer(&'static Scenario),
    /// Issuer with batches.
    Issuer(&'static IssuerScenario),
}

/// Kind of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Customer,
    Issuer,
}

impl Kind {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "customer" => Some(Self::Customer),
            "issuer" => Some(Self::Issuer),
            _ => None,
        }
    }
}

impl AnyScenario {
    /// All scenarios.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let of_customers = scenario::all().map(Self::Customer);
        of_customers.chain(of_issuers::ALL.iter().map(Self::Issuer))
    }

    /// Scenario by name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::all().find(|scenario| scenario.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Customer(scenario) => scenario.name,
            Self::Issuer(scenario) => scenario.name,
        }
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Customer(_) => Kind::Customer,
            Self::Issuer(_) => Kind::Issuer,
        }
    }

    /// Trigger from whose first delivery on faults are injected.
    pub(crate) fn disturbed_from(self) -> &'static str {
        match self {
            Self::Customer(scenario) => scenario.disturbed_from,
            Self::Issuer(scenario) => scenario.disturbed_from,
        }
    }

    /// Sampling of the runs with one fault.
    pub(crate) fn one_in(self) -> usize {
        match self {
            Self::Customer(scenario) => scenario.one_in,
            Self::Issuer(scenario) => scenario.one_in,
        }
    }
}
