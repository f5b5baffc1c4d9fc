//! States of the page that a preview shows.

use enrollment::action::ActionCode;

use ActionCode::{Enroll, OptOut, Replace};

/// One state of the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    /// Name in addresses: lower-case letters, digits and `-`, at most 40.
    pub(super) name: &'static str,
    /// Description for the operator.
    pub(super) title: &'static str,
    /// Action of the session.
    pub(super) action: ActionCode,
    /// Its beginning.
    pub(super) opening: Opening,
}

/// Beginning of a state.
#[derive(Debug, Clone, Copy)]
pub(super) enum Opening {
    /// Form, and the answer to a submission.
    Form(Form, Answer),
    /// Answer to the first call.
    Answer(Answer),
    /// Fragment of a failed opening; no call is made.
    Fragment(&'static str),
}

/// Sample values of a form.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    /// Number of cards on file.
    pub(super) cards: usize,
    /// Number of tries.
    pub(super) attempts_left: u32,
    /// Seconds until the session ends.
    pub(super) seconds_left: i64,
    /// Number of extensions.
    pub(super) extensions_left: u32,
}

/// Answer to a call of the page.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answer {
    /// Success of the action.
    Success,
    /// Failure of the action: MRS's code, tries left, and reason (header `Ending-Reason`).
    Failure(Option<&'static str>, u32, Option<&'static str>),
    /// End of the session, with a reason.
    Expired(Option<&'static str>),
    /// Open outcome: the page asks again.
    Open,
    /// Service that can't answer now.
    Unavailable,
    /// Refusal of a field, by JSON pointer.
    Field(&'static str),
    /// No answer at all.
    Silence,
}

const FORM: Form = Form {
    cards: 0,
    attempts_left: 5,
    seconds_left: 900,
    extensions_left: 10,
};
const CARDS: Form = Form { cards: 3, ..FORM };
const ONE_CARD: Form = Form { cards: 1, ..FORM };

const fn form(
    name: &'static str,
    title: &'static str,
    action: ActionCode,
    form: Form,
    answer: Answer,
) -> State {
    State {
        name,
        title,
        action,
        opening: Opening::Form(form, answer),
    }
}

const fn answer(name: &'static str, title: &'static str, action: ActionCode, answer: Answer) -> State {
    State {
        name,
        title,
        action,
        opening: Opening::Answer(answer),
    }
}

const fn failed(name: &'static str, title: &'static str, fragment: &'static str) -> State {
    State {
        name,
        title,
        action: Enroll,
        opening: Opening::Fragment(fragment),
    }
}

const fn code(code: &'static str, attempts_left: u32) -> Answer {
    Answer::Failure(Some(code), attempts_left, None)
}

const fn reason(reason: &'static str) -> Answer {
    Answer::Failure(None, 0, Some(reason))
}

/// All states, in the order of a customer's way. Codes are those of `docs/sources.md#widget`.
#[rustfmt::skip]
pub(super) const STATES: &[State] = &[
    form("form", "Form; a submission succeeds", Enroll, FORM, Answer::Success),
    form("form-card-refused", "Form; the card is not in the program (-44)", Enroll, FORM, code("-44", 4)),
    form("form-card-enrolled", "Form; the card is enrolled already (-45)", Enroll, FORM, code("-45", 4)),
    form("form-one-try-left", "Form; one try is left after a submission", Enroll, FORM, code("-44", 1)),
    form("form-last-try", "Form at the last try; a submission fails", Enroll, Form { attempts_left: 1, ..FORM },
        Answer::Failure(Some("-44"), 0, Some("last_try"))),
    form("form-number-refused", "Form; the server refuses the number", Enroll, FORM, Answer::Field("/card")),
    form("form-technical", "Form; a submission fails for a technical reason", Enroll, FORM, code("-1001", 4)),
    form("form-waiting", "Form; a submission stays open", Enroll, FORM, Answer::Open),
    form("form-busy", "Form; the service is busy at a submission", Enroll, FORM, Answer::Unavailable),
    form("form-expiring", "Form; less than two minutes are left", Enroll, Form { seconds_left: 90, ..FORM }, Answer::Success),
    form("form-exhausted", "Form; less than two minutes are left, without an extension", Enroll,
        Form { seconds_left: 90, extensions_left: 0, ..FORM }, Answer::Success),
    answer("loading", "No answer yet", Enroll, Answer::Silence),
    answer("waiting", "Outcome still open at a reload", Enroll, Answer::Open),
    answer("success", "Card enrolled", Enroll, Answer::Success),
    answer("card-refused", "Card not in the program (-44)", Enroll, code("-44", 0)),
    answer("card-enrolled", "Card enrolled already (-45)", Enroll, code("-45", 0)),
    answer("customer-enrolled", "Customer enrolled already (-50)", Enroll, code("-50", 0)),
    answer("technical", "Technical failure (-1001)", Enroll, code("-1001", 0)),
    answer("last-try", "Last try failed", Enroll, Answer::Failure(Some("-44"), 0, Some("last_try"))),
    answer("card-limit", "Card limit reached", Enroll, reason("card_limit")),
    answer("unavailable", "Service that can't answer", Enroll, Answer::Unavailable),
    answer("expired", "Session expired", Enroll, Answer::Expired(None)),
    answer("suspended", "Client suspended during the session", Enroll, Answer::Expired(Some("suspended"))),
    form("replace", "Replacement with three cards; a submission succeeds", Replace, CARDS, Answer::Success),
    form("replace-one-card", "Replacement with one card; the new one is not in the program (-44)", Replace, ONE_CARD, code("-44", 4)),
    answer("replaced", "Card replaced", Replace, Answer::Success),
    answer("replace-technical", "Replacement failed (-1001)", Replace, code("-1001", 0)),
    answer("replace-no-card", "No card to replace", Replace, reason("no_card")),
    answer("replace-card-gone", "Chosen card no longer enrolled", Replace, reason("card_gone")),
    form("remove", "Opt-out with three cards; a submission succeeds", OptOut, CARDS, Answer::Success),
    form("remove-one-card", "Opt-out with one card; it is carried out later (-1001)", OptOut, ONE_CARD, code("-1001", 0)),
    answer("removed", "Card removed", OptOut, Answer::Success),
    answer("remove-noted", "Opt-out that is carried out later (-1001)", OptOut, code("-1001", 0)),
    answer("remove-declined", "Opt-out that MRS declined (-5)", OptOut, code("-5", 0)),
    answer("remove-no-card", "No card to remove", OptOut, reason("no_card")),
    answer("remove-card-gone", "Chosen card no longer enrolled", OptOut, reason("card_gone")),
    failed("refused-token", "Refused token", "status=ACCESS_DENIED&incident=7K2M-9QXA-3F5D"),
    failed("incomplete-token", "Token with missing claims", "status=INVALID_PARAMETERS&incident=7K2M-9QXA-3F5D"),
    failed("expired-token", "Expired token", "status=TOKEN_EXPIRED&incident=7K2M-9QXA-3F5D"),
    failed("limit", "Limit of attempts reached", "status=ACCESS_DENIED&incident=7K2M-9QXA-3F5D&reason=limit"),
    failed("suspended-client", "Suspended client", "status=ACCESS_DENIED&incident=7K2M-9QXA-3F5D&reason=suspended"),
    failed("used-token", "Token that was used before", "status=ACCESS_DENIED&incident=7K2M-9QXA-3F5D&reason=used"),
    failed("no-session", "Address without a session", ""),
];

impl State {
    /// Finds a state by the session in its address.
    pub(super) fn of_session(session: &str) -> Option<&'static Self> {
        STATES.iter().find(|state| state.session() == session)
    }

    /// Session in the address: the state's name, as long as a session is.
    pub(super) fn session(&self) -> String {
        format!("{:_<43}", self.name)
    }

    /// Fragment of the page's address.
    pub(super) fn fragment(&self) -> String {
        match self.opening {
            Opening::Fragment(fragment) => fragment.to_owned(),
            _ => self.session(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_fit_into_a_session() {
        let names: BTreeSet<_> = STATES.iter().map(|state| state.name).collect();
        assert_eq!(names.len(), STATES.len());
        for state in STATES {
            let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            assert!(state.name.bytes().all(is_plain), "{}", state.name);
            assert_eq!(state.session().len(), 43);
            assert_eq!(
                State::of_session(&state.session()).map(|found| found.name),
                Some(state.name)
            );
        }
    }
}
