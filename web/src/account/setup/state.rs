use crate::{account::text, browser, problem::Failure};
use holdfast_protocol::problem::Code;
use std::rc::Rc;
use yew::prelude::Reducible;

/// The first two steps of the wizard.
///
/// ```text
/// Asking ──▶ Preparing ──▶ Ready ──▶ Prompting ──▶ Verifying ──▶ (signed in)
///   ▲            │          ▲ ▲          │             │
///   └────────────┘          │ └──────────┘             ▼
///                           └────────────────────── Renewing
/// ```
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Setup {
    pub(super) form: Form,
    pub(super) faults: Faults,
    /// How often it was submitted: each time the focus goes to what is wrong.
    pub(super) tries: u32,
    pub(super) phase: Phase,
    pub(super) failure: Option<Failure>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Name and address.
    Asking,
    /// The key is made and the options are fetched.
    Preparing,
    /// The same once more, in the second step: the options were spent, or too old.
    Renewing,
    /// The prompt can be opened at the next click.
    Ready,
    /// It is open.
    Prompting,
    /// The server looks at the answer.
    Verifying,
}

/// What the person typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Form {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) token: String,
    pub(super) token_from: TokenFrom,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum TokenFrom {
    /// It came with the address: nothing to type.
    Link,
    #[default]
    Field,
}

/// Why a field will not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Faults {
    pub(super) name: Option<&'static str>,
    pub(super) email: Option<&'static str>,
    pub(super) token: Option<&'static str>,
}

/// A field of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Name,
    Email,
    Token,
}

impl Place {
    /// The `id` of its input.
    pub(super) const fn id(self) -> &'static str {
        match self {
            Place::Name => "name",
            Place::Email => "email",
            Place::Token => "token",
        }
    }
}

impl Faults {
    pub(super) fn any(self) -> bool {
        self.first().is_some()
    }

    /// The first field that will not do, from above.
    pub(super) fn first(self) -> Option<Place> {
        let places = [(self.name, Place::Name), (self.email, Place::Email), (self.token, Place::Token)];
        places.into_iter().find(|(fault, _)| fault.is_some()).map(|(_, place)| place)
    }
}

impl Form {
    /// What is wrong with it, as far as a browser can tell.
    pub(super) fn faults(&self) -> Faults {
        let name = self.name.trim();
        let email = self.email.trim();
        let whole = |(local, domain): (&str, &str)| {
            !local.is_empty()
                && !domain.is_empty()
                && !domain.contains('@')
                && !email.contains(char::is_whitespace)
        };
        Faults {
            name: if name.is_empty() {
                Some(text::NAME_MISSING)
            } else if name.chars().count() > 64 {
                Some(text::NAME_TOO_LONG)
            } else if name.chars().any(char::is_control) {
                Some(text::NAME_CONTROL)
            } else {
                None
            },
            email: if email.is_empty() {
                Some(text::EMAIL_MISSING)
            } else if email.len() > 254 || !email.split_once('@').is_some_and(whole) {
                Some(text::EMAIL_MALFORMED)
            } else {
                None
            },
            token: self.token().is_empty().then_some(text::TOKEN_MISSING),
        }
    }

    /// The token itself, also where the whole link was pasted.
    pub(super) fn token(&self) -> &str {
        browser::token_of(&self.token).unwrap_or(self.token.trim())
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    NameTyped(String),
    EmailTyped(String),
    TokenTyped(String),
    /// The setup link was opened where the page was open already.
    LinkOpened(String),
    Submitted,
    /// Back to the first step.
    Reconsidered,
    FoundStale,
    Prepared,
    PromptOpened,
    Answered,
    /// Before the prompt: nothing was shown.
    CouldNotPrepare(Failure),
    /// The prompt ended without an answer; its options are still good.
    PromptFailed(Failure),
    /// The server refused the answer; new options are on their way.
    Refused(Failure),
}

impl Setup {
    pub(super) fn new(form: Form) -> Self {
        Self { form, faults: Faults::default(), tries: 0, phase: Phase::Asking, failure: None }
    }

    fn at(&self, phase: Phase) -> Self {
        Self { phase, failure: None, ..self.clone() }
    }

    fn failed(&self, phase: Phase, failure: Failure) -> Self {
        Self { phase, failure: Some(failure), ..self.clone() }
    }

    /// A token that the server does not take is the field's fault, also where it came with the link.
    fn refused(&self, phase: Phase, failure: Failure) -> Self {
        if failure.code() != Some(Code::SetupTokenInvalid) {
            return self.failed(phase, failure);
        }
        let form = Form { token_from: TokenFrom::Field, ..self.form.clone() };
        let faults = Faults { token: Some(text::TOKEN_REFUSED), ..Faults::default() };
        Self { form, faults, phase: Phase::Asking, failure: None, ..self.clone() }
    }

    fn typed(&self, form: Form) -> Self {
        // A fault that was shown goes as soon as it is mended; new ones wait for the next try.
        let now = form.faults();
        let faults = Faults {
            name: self.faults.name.and(now.name),
            email: self.faults.email.and(now.email),
            token: self
                .faults
                .token
                .filter(|_| form.token == self.form.token)
                .or(self.faults.token.and(now.token)),
        };
        Self { form, faults, phase: Phase::Asking, failure: None, ..self.clone() }
    }
}

impl Reducible for Setup {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let form = self.form.clone();
        Rc::new(match action {
            Action::NameTyped(name) => self.typed(Form { name, ..form }),
            Action::EmailTyped(email) => self.typed(Form { email, ..form }),
            Action::TokenTyped(token) => self.typed(Form { token, ..form }),
            Action::LinkOpened(token) => Self {
                form: Form { token, token_from: TokenFrom::Link, ..form },
                faults: Faults { token: None, ..self.faults },
                ..(*self).clone()
            },
            Action::Submitted => {
                let faults = form.faults();
                let phase = if faults.any() { Phase::Asking } else { Phase::Preparing };
                Self { form, faults, tries: self.tries.saturating_add(1), phase, failure: None }
            }
            Action::Reconsidered => self.at(Phase::Asking),
            Action::FoundStale => self.at(Phase::Renewing),
            Action::Prepared => match self.phase {
                // The failure that made new options necessary stays in sight.
                Phase::Preparing | Phase::Renewing => Self { phase: Phase::Ready, ..(*self).clone() },
                _ => (*self).clone(),
            },
            Action::PromptOpened => self.at(Phase::Prompting),
            Action::Answered => self.at(Phase::Verifying),
            Action::CouldNotPrepare(failure) => self.refused(Phase::Asking, failure),
            Action::PromptFailed(failure) => self.failed(Phase::Ready, failure),
            Action::Refused(failure) => self.refused(Phase::Renewing, failure),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceremony::{CeremonyFailure, Kind};
    use holdfast_protocol::problem::Problem;

    #[test]
    fn a_link_opened_in_an_open_page_answers_for_the_token_and_touches_nothing_else() {
        let asked = [Action::TokenTyped(String::new()), Action::Submitted];
        let setup = after(asked.clone());
        assert!(setup.faults.token.is_some());
        let opened = after(asked.into_iter().chain([Action::LinkOpened("fedcba9876543210".to_owned())]));
        assert_eq!((opened.form.token(), opened.form.token_from), ("fedcba9876543210", TokenFrom::Link));
        assert_eq!((opened.faults.token, opened.phase), (None, setup.phase));
        assert_eq!(opened.form.name, setup.form.name);
    }

    fn form() -> Form {
        Form {
            name: "Mara".to_owned(),
            email: "mara@example.com".to_owned(),
            token: "0123456789abcdef".to_owned(),
            token_from: TokenFrom::Link,
        }
    }

    fn after(actions: impl IntoIterator<Item = Action>) -> Setup {
        let start = Rc::new(Setup::new(form()));
        (*actions.into_iter().fold(start, |setup, action| setup.reduce(action))).clone()
    }

    fn refused(code: Code) -> Failure {
        Failure::Refused(Box::new(Problem::of(code)))
    }

    #[test]
    fn nothing_is_fetched_before_the_form_is_right() {
        let asked = after([Action::EmailTyped("mara".to_owned()), Action::Submitted]);
        assert_eq!(asked.phase, Phase::Asking);
        assert_eq!(asked.faults.email, Some(text::EMAIL_MALFORMED));
        assert_eq!(asked.faults.name, None);
        let mended = asked.typed(form());
        assert!(!mended.faults.any());
    }

    #[test]
    fn names_and_addresses_that_the_server_would_refuse_are_refused_here() {
        for email in ["", "mara", "@example.com", "mara@", "a@b@c", "ma ra@example.com"] {
            assert!(Form { email: email.to_owned(), ..form() }.faults().email.is_some(), "{email}");
        }
        for name in ["", "  ", "a\u{7}b", &"x".repeat(65)] {
            assert!(Form { name: name.to_owned(), ..form() }.faults().name.is_some(), "{name}");
        }
        assert!(!form().faults().any());
    }

    #[test]
    fn a_cancelled_prompt_can_be_opened_again_at_once() {
        let failure = Failure::Ceremony(CeremonyFailure::Cancelled(Kind::Registration));
        let cancelled = after([
            Action::Submitted,
            Action::Prepared,
            Action::PromptOpened,
            Action::PromptFailed(failure.clone()),
        ]);
        assert_eq!(cancelled.phase, Phase::Ready);
        assert_eq!(cancelled.failure, Some(failure));
    }

    #[test]
    fn a_refused_answer_keeps_its_words_until_new_options_are_there() {
        let steps = [Action::Submitted, Action::Prepared, Action::PromptOpened, Action::Answered];
        let refused = refused(Code::CeremonyGone);
        let again = after(steps.into_iter().chain([Action::Refused(refused.clone()), Action::Prepared]));
        assert_eq!(again.phase, Phase::Ready);
        assert_eq!(again.failure, Some(refused));
    }

    #[test]
    fn a_wrong_token_leads_back_to_its_field_even_when_it_came_with_the_link() {
        let asked = after([Action::Submitted, Action::CouldNotPrepare(refused(Code::SetupTokenInvalid))]);
        assert_eq!(asked.phase, Phase::Asking);
        assert_eq!(asked.form.token_from, TokenFrom::Field);
        assert_eq!(asked.faults.token, Some(text::TOKEN_REFUSED));
        let typed = asked.typed(Form { token: "another".to_owned(), ..asked.form.clone() });
        assert_eq!(typed.faults.token, None);
    }

    #[test]
    fn a_whole_link_is_taken_for_the_token_in_it() {
        let pasted = Form { token: "http://localhost:8787/setup#t=abc".to_owned(), ..form() };
        assert_eq!(pasted.token(), "abc");
    }
}
