use crate::problem::Failure;
use holdfast_protocol::recovery::{CODES, NotACode, RecoveryCode};
use std::rc::Rc;
use yew::prelude::Reducible;

/// The one time that the codes are shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Codes {
    /// No randomness, no codes.
    Unable,
    /// In sight.
    Shown(Shown),
    /// In force: nothing of them is left here.
    InForce,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    pub(super) codes: Rc<Vec<RecoveryCode>>,
    /// Which one is to be typed: 0 to 9.
    pub(super) asked: usize,
    pub(super) typed: String,
    pub(super) fault: Option<Fault>,
    /// How often it was submitted: each time the focus goes to what is wrong.
    pub(super) tries: u32,
    pub(super) phase: Phase,
    /// What came of copying or downloading.
    pub(super) done: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    Showing,
    /// The verifiers are on their way.
    Keeping,
    Failed(Failure),
}

/// Why what was typed is not the code that was asked for. Numbers are those of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Empty,
    Symbol,
    Length(usize),
    Other(usize),
    None,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    Typed(String),
    /// Typed back; right or wrong.
    Submitted,
    CameInForce,
    CouldNotKeep(Failure),
    /// The person would rather not, yet.
    WasLeft,
    Did(&'static str),
}

impl Codes {
    /// `None`: there was no randomness.
    pub(super) fn new(codes: Option<Vec<RecoveryCode>>, asked: usize) -> Self {
        match codes {
            Some(codes) if codes.len() == CODES => Codes::Shown(Shown {
                codes: Rc::new(codes),
                asked: asked % CODES,
                typed: String::new(),
                fault: None,
                tries: 0,
                phase: Phase::Showing,
                done: None,
            }),
            _ => Codes::Unable,
        }
    }
}

impl Shown {
    /// Holds what was typed against the list.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let typed = match RecoveryCode::parse(&self.typed) {
            Ok(typed) => typed,
            Err(NotACode::WrongLength(0)) => return Err(Fault::Empty),
            Err(NotACode::WrongLength(length)) => return Err(Fault::Length(length)),
            Err(NotACode::BadCharacter(_)) => return Err(Fault::Symbol),
        };
        match self.codes.iter().position(|code| *code == typed) {
            Some(found) if found == self.asked => Ok(()),
            Some(found) => Err(Fault::Other(found + 1)),
            None => Err(Fault::None),
        }
    }
}

impl Reducible for Codes {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let Codes::Shown(shown) = &*self else { return self };
        let mut next = shown.clone();
        match action {
            Action::Typed(typed) => {
                next.typed = typed;
                next.fault = None;
            }
            Action::Submitted => {
                next.tries = shown.tries.saturating_add(1);
                next.fault = shown.check().err();
                if next.fault.is_none() {
                    next.phase = Phase::Keeping;
                }
            }
            Action::CameInForce => return Rc::new(Codes::InForce),
            Action::CouldNotKeep(failure) => next.phase = Phase::Failed(failure),
            Action::WasLeft => next.phase = Phase::Showing,
            Action::Did(what) => next.done = Some(what),
        }
        Rc::new(Codes::Shown(next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes() -> Vec<RecoveryCode> {
        (0..10_u8)
            .map(|seed| {
                let random: Vec<u8> = (0..64).map(|at: u8| at.wrapping_mul(7).wrapping_add(seed)).collect();
                RecoveryCode::make(&random).unwrap()
            })
            .collect()
    }

    fn shown(state: &Codes) -> Shown {
        match state {
            Codes::Shown(shown) => shown.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn typed(text: &str) -> Codes {
        let start = Rc::new(Codes::new(Some(codes()), 5));
        (*start.reduce(Action::Typed(text.to_owned())).reduce(Action::Submitted)).clone()
    }

    #[test]
    fn the_code_that_was_asked_for_is_taken_however_it_is_written() {
        let asked = codes()[5].grouped();
        for written in [asked.clone(), asked.to_lowercase(), asked.replace('-', " "), asked.replace('-', "")]
        {
            assert_eq!(shown(&typed(&written)).phase, Phase::Keeping, "{written}");
        }
    }

    #[test]
    fn what_is_wrong_with_another_answer_is_told_apart() {
        let fault = |text: &str| shown(&typed(text)).fault;
        assert_eq!(fault(""), Some(Fault::Empty));
        assert_eq!(fault("7K3"), Some(Fault::Length(3)));
        assert_eq!(fault("?"), Some(Fault::Symbol));
        assert_eq!(fault(&codes()[2].grouped()), Some(Fault::Other(3)));
        assert_eq!(fault(&"7".repeat(21)), Some(Fault::None));
    }

    #[test]
    fn once_in_force_nothing_of_them_is_left() {
        let state = Rc::new(typed(&codes()[5].grouped())).reduce(Action::CameInForce);
        assert_eq!(*state, Codes::InForce);
    }

    #[test]
    fn codes_whose_confirmation_was_left_are_shown_on() {
        let keeping = typed(&codes()[5].grouped());
        let left = Rc::new(keeping.clone()).reduce(Action::WasLeft);
        assert_eq!(*left, Codes::Shown(Shown { phase: Phase::Showing, ..shown(&keeping) }));
    }

    #[test]
    fn no_code_is_ever_written_to_a_log() {
        let state = Codes::new(Some(codes()), 5);
        let written = ["", &format!("{state:?}")].concat();
        assert!(codes().iter().all(|code| !written.contains(&code.grouped()[..7])));
    }

    #[test]
    fn fewer_codes_than_ten_are_none() {
        assert_eq!(Codes::new(None, 0), Codes::Unable);
        assert_eq!(Codes::new(Some(codes()[..9].to_vec()), 0), Codes::Unable);
    }
}
