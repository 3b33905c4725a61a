use crate::{ceremony::CeremonyFailure, json::NotReadable, text, words::Words};
use holdfast_pop::PopError;
use holdfast_protocol::problem::{Code, Problem};

/// Why something did not work, in the page's terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The server said no, and why.
    Refused(Box<Problem>),
    /// The browser says that it has no network.
    Offline,
    /// No answer came: the server is stopped, restarting, or out of reach.
    ServerAway,
    /// The answer took too long.
    TooSlow,
    /// The answer is not of the documented shape.
    Unreadable,
    /// What was asked for cannot be shown to the person who would confirm it, and was not sent.
    Illegible,
    /// This browser cannot make, keep or use its key.
    Key(PopError),
    /// The passkey prompt failed.
    Ceremony(CeremonyFailure),
}

impl Failure {
    /// The code of a refusal.
    pub fn code(&self) -> Option<Code> {
        match self {
            Failure::Refused(problem) => Some(problem.code),
            _ => None,
        }
    }

    /// The server may answer the same request a little later.
    pub fn may_pass(&self) -> bool {
        match self {
            Failure::Refused(problem) => problem.status >= 500 || problem.status == 429,
            Failure::Offline | Failure::ServerAway | Failure::TooSlow | Failure::Unreadable => true,
            Failure::Illegible | Failure::Key(_) | Failure::Ceremony(_) => false,
        }
    }

    /// What happened, and what to do.
    pub fn words(&self) -> Words {
        match self {
            Failure::Refused(problem) => text::refusal(problem),
            Failure::Offline => text::OFFLINE,
            Failure::ServerAway => text::SERVER_AWAY,
            Failure::TooSlow => text::TOO_SLOW,
            Failure::Unreadable => text::UNREADABLE,
            Failure::Illegible => text::ILLEGIBLE,
            Failure::Key(error) => text::key(*error),
            Failure::Ceremony(failure) => text::ceremony(failure),
        }
    }
}

impl From<NotReadable> for Failure {
    fn from(_: NotReadable) -> Self {
        Failure::Unreadable
    }
}

impl From<PopError> for Failure {
    fn from(error: PopError) -> Self {
        Failure::Key(error)
    }
}

impl From<CeremonyFailure> for Failure {
    fn from(failure: CeremonyFailure) -> Self {
        Failure::Ceremony(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceremony::Kind;
    use holdfast_protocol::tokens::TokenError;

    #[test]
    fn every_failure_says_what_happened_and_what_to_do_without_shouting() {
        let ceremonies = [
            CeremonyFailure::Cancelled(Kind::Registration),
            CeremonyFailure::Cancelled(Kind::SignIn),
            CeremonyFailure::TimedOut,
            CeremonyFailure::NeverAnswered,
            CeremonyFailure::NoAuthenticator,
            CeremonyFailure::AlreadyRegistered,
            CeremonyFailure::WrongAddress,
            CeremonyFailure::Superseded,
            CeremonyFailure::InsecureContext,
            CeremonyFailure::NotSupported,
            CeremonyFailure::NotWhatWasAsked(TokenError::OtherCeremony),
            CeremonyFailure::UnreadableOptions,
            CeremonyFailure::UnreadableAnswer,
            CeremonyFailure::Other("WeirdError".to_owned()),
        ];
        let refusals = Code::ALL.iter().map(|code| Failure::Refused(Box::new(Problem::of(*code))));
        let others = [
            Failure::Offline,
            Failure::ServerAway,
            Failure::TooSlow,
            Failure::Unreadable,
            Failure::Illegible,
        ];
        let keys = PopError::ALL.into_iter().map(Failure::Key);
        for failure in ceremonies.into_iter().map(Failure::Ceremony).chain(refusals).chain(others).chain(keys)
        {
            let words = failure.words();
            assert!(words.what.ends_with('.') && !words.what.contains('!'), "{failure:?}");
            assert!(words.way_on.ends_with('.') && !words.way_on.contains('!'), "{failure:?}");
        }
    }

    #[test]
    fn a_wait_is_part_of_the_words() {
        let mut problem = Problem::of(Code::RateLimited);
        problem.retry_after_s = Some(90);
        assert!(Failure::Refused(Box::new(problem)).words().way_on.contains("2 minutes"));
    }
}
