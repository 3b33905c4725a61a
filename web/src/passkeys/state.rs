use super::text;
use crate::problem::Failure;
use holdfast_protocol::{
    ids::PasskeyId,
    passkeys::{PasskeyView, Trust},
};
use std::rc::Rc;
use yew::prelude::Reducible;

/// The list.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Passkeys {
    Loading,
    Failed(Failure),
    Loaded(Loaded),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Loaded {
    pub(super) list: Vec<PasskeyView>,
    pub(super) edit: Option<Edit>,
    /// The one whose name was edited last, and how that ended: the focus returns to its button.
    pub(super) left: Option<(PasskeyId, Left)>,
}

/// How an edit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    AsItWas,
    Renamed,
}

/// A name that is being changed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Edit {
    pub(super) id: PasskeyId,
    pub(super) typed: String,
    pub(super) phase: Phase,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    Typing,
    Faulty(&'static str),
    Saving,
    Failed(Failure),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    Fetched(Vec<PasskeyView>),
    CouldNotFetch(Failure),
    EditBegan(PasskeyId),
    Typed(String),
    EditLeft,
    /// Saved as typed, if that is a name.
    Submitted,
    Renamed(PasskeyId, String),
    CouldNotRename(Failure),
}

impl Edit {
    /// Why the server would refuse it.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let name = self.typed.trim();
        if name.is_empty() {
            Some(text::NAME_MISSING)
        } else if name.chars().count() > 64 {
            Some(text::NAME_TOO_LONG)
        } else if name.chars().any(char::is_control) {
            Some(text::NAME_CONTROL)
        } else {
            None
        }
    }
}

impl Reducible for Passkeys {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut loaded = match &*self {
            Passkeys::Loaded(loaded) => loaded.clone(),
            Passkeys::Loading | Passkeys::Failed(_) => {
                return Rc::new(match action {
                    Action::Fetched(list) => Passkeys::Loaded(Loaded { list, edit: None, left: None }),
                    Action::CouldNotFetch(failure) => Passkeys::Failed(failure),
                    _ => return self,
                });
            }
        };
        match action {
            Action::Fetched(list) => loaded.list = list,
            // The list in sight is better than none.
            Action::CouldNotFetch(_) => {}
            Action::EditBegan(id) => {
                let typed = loaded.list.iter().find(|view| view.id == id).map(|view| view.name.clone());
                loaded.edit = typed.map(|typed| Edit { id, typed, phase: Phase::Typing });
                loaded.left = None;
            }
            Action::EditLeft => loaded.left = loaded.edit.take().map(|edit| (edit.id, Left::AsItWas)),
            Action::Typed(typed) => {
                if let Some(edit) = &mut loaded.edit {
                    edit.typed = typed;
                    edit.phase = Phase::Typing;
                }
            }
            Action::Submitted => {
                if let Some(edit) = &mut loaded.edit {
                    edit.phase = edit.fault().map_or(Phase::Saving, Phase::Faulty);
                }
            }
            Action::Renamed(id, name) => {
                if let Some(view) = loaded.list.iter_mut().find(|view| view.id == id) {
                    view.name = name;
                }
                loaded.edit = None;
                loaded.left = Some((id, Left::Renamed));
            }
            Action::CouldNotRename(failure) => {
                if let Some(edit) = &mut loaded.edit {
                    edit.phase = Phase::Failed(failure);
                }
            }
        }
        Rc::new(Passkeys::Loaded(loaded))
    }
}

impl Loaded {
    /// Passkeys that can sign in.
    pub(super) fn in_use(&self) -> usize {
        self.list.iter().filter(|view| view.trust != Trust::Disabled).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn after(actions: impl IntoIterator<Item = Action>) -> Passkeys {
        let start = Rc::new(Passkeys::Loading).reduce(Action::Fetched(vec![sample::passkey(1)]));
        (*actions.into_iter().fold(start, |state, action| state.reduce(action))).clone()
    }

    fn edit_of(state: &Passkeys) -> Option<Edit> {
        match state {
            Passkeys::Loaded(loaded) => loaded.edit.clone(),
            _ => None,
        }
    }

    #[test]
    fn a_name_is_changed_only_when_the_server_has_it() {
        let id = sample::passkey(1).id;
        let begun = [Action::EditBegan(id.clone()), Action::Typed("Work".to_owned()), Action::Submitted];
        let saving = after(begun.clone());
        assert_eq!(edit_of(&saving).map(|edit| edit.phase), Some(Phase::Saving));
        let saved = after(begun.into_iter().chain([Action::Renamed(id.clone(), "Work".to_owned())]));
        let Passkeys::Loaded(loaded) = saved else { panic!("loaded") };
        assert_eq!(
            (loaded.list[0].name.as_str(), loaded.edit, loaded.left),
            ("Work", None, Some((id, Left::Renamed)))
        );
    }

    #[test]
    fn an_empty_name_is_not_sent() {
        let id = sample::passkey(1).id;
        let state = after([Action::EditBegan(id), Action::Typed("  ".to_owned()), Action::Submitted]);
        assert_eq!(edit_of(&state).map(|edit| edit.phase), Some(Phase::Faulty(text::NAME_MISSING)));
    }

    #[test]
    fn a_failure_keeps_what_was_typed() {
        let id = sample::passkey(1).id;
        let state = after([
            Action::EditBegan(id),
            Action::Typed("Work".to_owned()),
            Action::Submitted,
            Action::CouldNotRename(Failure::ServerAway),
        ]);
        let edit = edit_of(&state).unwrap();
        assert_eq!((edit.typed.as_str(), edit.phase), ("Work", Phase::Failed(Failure::ServerAway)));
    }

    #[test]
    fn a_list_in_sight_survives_a_server_that_is_away() {
        let state = after([Action::CouldNotFetch(Failure::ServerAway)]);
        assert!(matches!(state, Passkeys::Loaded(loaded) if loaded.in_use() == 1));
    }
}
