use super::text;
use crate::problem::Failure;
use holdfast_protocol::{
    agents::{AgentState, AgentView},
    commitment::MOST_BYTES,
    credentials::{CredentialView, DEFAULT, Name},
};
use std::rc::Rc;
use yew::prelude::Reducible;

/// The list, and the form for one more. The value is in neither: it is in its field alone until it is sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Credentials {
    pub(super) list: List,
    pub(super) form: Form,
    /// The one that is being deleted, or was not.
    pub(super) removal: Option<Removing>,
    /// What was done last, to be read aloud.
    pub(super) done: Option<Done>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum List {
    Loading,
    Failed(Failure),
    Loaded(Loaded),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Loaded {
    pub(super) credentials: Vec<CredentialView>,
    /// Whose channels these can be.
    pub(super) agents: Vec<Agent>,
}

/// An agent; its channel is called by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Agent {
    pub(super) channel: String,
    pub(super) name: String,
    pub(super) works: Works,
}

/// Whether it will ever read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Works {
    Yes,
    Revoked,
}

/// Where a credential stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) name: Name,
    pub(super) channel: Name,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Form {
    pub(super) name: String,
    pub(super) channel: String,
    pub(super) sight: Sight,
    pub(super) phase: Phase,
    /// How often it was emptied or filled in from the list: what is typed as the value goes with it.
    pub(super) round: u32,
    pub(super) begun: Begun,
}

/// How a form came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begun {
    Empty,
    /// For a new value of what is there: the focus goes to the value.
    FromList,
}

/// Whether what is typed as the value can be read over a shoulder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    Covered,
    Open,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    Typing,
    Faulty(Fault),
    /// Under way; the prompt may be open.
    Storing,
    /// The person closed the prompt.
    Left,
    Failed(Failure),
}

/// What the server would refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Name(&'static str),
    Value(&'static str),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Removing {
    pub(super) place: Place,
    pub(super) phase: Removed,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Removed {
    UnderWay,
    /// The person closed the prompt: the focus returns to its button.
    Left,
    Failed(Failure),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Done {
    Stored(Place),
    Deleted(Place),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    Fetched(Vec<CredentialView>, Vec<AgentView>),
    CouldNotFetch(Failure),
    NameTyped(String),
    ChannelChosen(String),
    ValueTyped,
    SightTurned,
    /// A new value for one that is there.
    ReplacementBegan(Place),
    FoundFault(Fault),
    StoringBegan,
    StoringLeft,
    Stored(Place),
    CouldNotStore(Failure),
    RemovalBegan(Place),
    RemovalLeft,
    Removed,
    CouldNotRemove(Failure),
}

impl Credentials {
    pub(super) fn new() -> Self {
        Self { list: List::Loading, form: Form::empty(0), removal: None, done: None }
    }

    /// One confirmation at a time.
    pub(super) fn is_busy(&self) -> bool {
        let removing = matches!(&self.removal, Some(Removing { phase: Removed::UnderWay, .. }));
        removing || self.form.phase == Phase::Storing
    }
}

impl Form {
    fn empty(round: u32) -> Self {
        let channel = DEFAULT.to_owned();
        Self {
            name: String::new(),
            channel,
            sight: Sight::Covered,
            phase: Phase::Typing,
            round,
            begun: Begun::Empty,
        }
    }

    /// What is typed, with the value as it stands in its field: where it would be stored, or why not.
    pub(super) fn check(&self, value: &str) -> Result<Place, Fault> {
        let name = self.name.trim();
        let name = Name::parse(name).map_err(|_| match name {
            "" => Fault::Name(text::NAME_MISSING),
            _ => Fault::Name(text::NAME_WRONG),
        })?;
        // It is chosen from a list.
        let channel = Name::parse(&self.channel).map_err(|_| Fault::Name(text::NAME_WRONG))?;
        match value.len() {
            0 => Err(Fault::Value(text::VALUE_MISSING)),
            1..=MOST_BYTES => Ok(Place { name, channel }),
            _ => Err(Fault::Value(text::VALUE_TOO_LONG)),
        }
    }
}

impl Place {
    pub(super) fn of(view: &CredentialView) -> Self {
        Self { name: view.name.clone(), channel: view.channel.clone() }
    }

    /// Unique in the list: neither part holds a slash.
    pub(super) fn key(&self) -> String {
        [self.channel.as_str(), "/", self.name.as_str()].concat()
    }
}

impl Loaded {
    pub(super) fn agent_of(&self, channel: &str) -> Option<&Agent> {
        self.agents.iter().find(|agent| agent.channel == channel)
    }

    /// What a channel can be chosen from: every agent that works, and whatever else is in use already.
    pub(super) fn channels(&self, chosen: &str) -> Vec<String> {
        let works = self.agents.iter().filter(|agent| agent.works == Works::Yes);
        let in_use = self.credentials.iter().map(|view| view.channel.as_str());
        let mut channels = vec![DEFAULT.to_owned()];
        for channel in works.map(|agent| agent.channel.as_str()).chain(in_use).chain([chosen]) {
            if channels.iter().all(|known| known != channel) {
                channels.push(channel.to_owned());
            }
        }
        channels
    }
}

impl From<AgentView> for Agent {
    fn from(view: AgentView) -> Self {
        let works = if view.state == AgentState::Revoked { Works::Revoked } else { Works::Yes };
        Self { channel: view.id.as_str().to_owned(), name: view.name, works }
    }
}

impl Reducible for Credentials {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut next = (*self).clone();
        let form = &mut next.form;
        match action {
            Action::Fetched(credentials, agents) => {
                let agents = agents.into_iter().map(Agent::from).collect();
                next.list = List::Loaded(Loaded { credentials, agents });
            }
            // A list in sight is better than none.
            Action::CouldNotFetch(_) if matches!(self.list, List::Loaded(_)) => {}
            Action::CouldNotFetch(failure) => next.list = List::Failed(failure),
            Action::NameTyped(name) => {
                form.name = name;
                form.phase = Phase::Typing;
            }
            Action::ChannelChosen(channel) => {
                form.channel = channel;
                form.phase = Phase::Typing;
            }
            Action::ValueTyped => form.phase = Phase::Typing,
            Action::SightTurned => {
                form.sight = match form.sight {
                    Sight::Covered => Sight::Open,
                    Sight::Open => Sight::Covered,
                };
            }
            Action::ReplacementBegan(place) => {
                *form = Form::empty(form.round.saturating_add(1));
                form.name = place.name.into();
                form.channel = place.channel.into();
                form.begun = Begun::FromList;
                next.done = None;
            }
            Action::FoundFault(fault) => form.phase = Phase::Faulty(fault),
            Action::StoringBegan => {
                form.phase = Phase::Storing;
                next.done = None;
            }
            Action::StoringLeft => form.phase = Phase::Left,
            Action::Stored(place) => {
                *form = Form::empty(form.round.saturating_add(1));
                next.done = Some(Done::Stored(place));
            }
            Action::CouldNotStore(failure) => form.phase = Phase::Failed(failure),
            Action::RemovalBegan(place) => {
                next.removal = Some(Removing { place, phase: Removed::UnderWay });
                next.done = None;
            }
            Action::RemovalLeft => next.removal_ends(Removed::Left),
            Action::CouldNotRemove(failure) => next.removal_ends(Removed::Failed(failure)),
            Action::Removed => {
                let place = next.removal.take().map(|removal| removal.place);
                if let (List::Loaded(loaded), Some(place)) = (&mut next.list, &place) {
                    loaded.credentials.retain(|view| Place::of(view) != *place);
                }
                next.done = place.map(Done::Deleted);
            }
        }
        Rc::new(next)
    }
}

impl Credentials {
    fn removal_ends(&mut self, phase: Removed) {
        if let Some(removal) = &mut self.removal {
            removal.phase = phase;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_protocol::credentials::CredentialState;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn place(channel: &str) -> Place {
        Place { name: name("KEY"), channel: name(channel) }
    }

    fn stored(channel: &str) -> CredentialView {
        let Place { name, channel } = place(channel);
        CredentialView { name, channel, stored_at_ms: 1, read: None, state: CredentialState::Readable }
    }

    fn after(actions: impl IntoIterator<Item = Action>) -> Credentials {
        let list = Action::Fetched(vec![stored(DEFAULT), stored("chat")], Vec::new());
        let start = Rc::new(Credentials::new()).reduce(list);
        (*actions.into_iter().fold(start, |state, action| state.reduce(action))).clone()
    }

    #[test]
    fn what_the_server_would_refuse_is_not_sent() {
        let typed = |name: &str| after([Action::NameTyped(name.to_owned())]).form;
        assert_eq!(typed(" KEY ").check("s"), Ok(place(DEFAULT)));
        assert_eq!(typed(" ").check("s"), Err(Fault::Name(text::NAME_MISSING)));
        assert_eq!(typed("MY KEY").check("s"), Err(Fault::Name(text::NAME_WRONG)));
        assert_eq!(typed("KEY").check(""), Err(Fault::Value(text::VALUE_MISSING)));
        // Bytes, not characters.
        assert_eq!(typed("KEY").check(&"é".repeat(MOST_BYTES / 2)), Ok(place(DEFAULT)));
        let long = "é".repeat(MOST_BYTES / 2 + 1);
        assert_eq!(typed("KEY").check(&long), Err(Fault::Value(text::VALUE_TOO_LONG)));
    }

    #[test]
    fn a_form_is_emptied_by_success_and_by_nothing_else() {
        let typed = [Action::NameTyped("KEY".to_owned()), Action::StoringBegan];
        for (end, kept) in [
            (Action::StoringLeft, "KEY"),
            (Action::CouldNotStore(Failure::ServerAway), "KEY"),
            (Action::Stored(place(DEFAULT)), ""),
        ] {
            let form = after(typed.clone().into_iter().chain([end])).form;
            assert_eq!((form.name.as_str(), form.round), (kept, u32::from(kept.is_empty())));
        }
    }

    #[test]
    fn the_one_that_was_deleted_goes_and_its_namesake_stays() {
        let under_way = after([Action::RemovalBegan(place("chat"))]);
        assert!(under_way.is_busy());
        let state = after([Action::RemovalBegan(place("chat")), Action::Removed]);
        let List::Loaded(loaded) = &state.list else { panic!("loaded") };
        assert_eq!(loaded.credentials, [stored(DEFAULT)]);
        assert_eq!((state.is_busy(), state.done), (false, Some(Done::Deleted(place("chat")))));
        let left = after([Action::RemovalBegan(place("chat")), Action::RemovalLeft]);
        let removal = Removing { place: place("chat"), phase: Removed::Left };
        assert_eq!((left.is_busy(), left.removal), (false, Some(removal)));
    }

    #[test]
    fn a_channel_is_chosen_from_those_that_somebody_reads_or_that_are_in_use() {
        let agent = |channel: &str, works| Agent { channel: channel.to_owned(), name: "A".to_owned(), works };
        let agents = vec![agent("agt_1", Works::Yes), agent("agt_2", Works::Revoked)];
        let loaded = Loaded { credentials: vec![stored("chat"), stored("agt_1")], agents };
        assert_eq!(loaded.channels(DEFAULT), [DEFAULT, "agt_1", "chat"]);
        assert_eq!(loaded.channels("agt_2"), [DEFAULT, "agt_1", "chat", "agt_2"]);
    }

    #[test]
    fn a_new_value_goes_where_the_old_one_is() {
        let form = after([Action::ReplacementBegan(place("chat"))]).form;
        assert_eq!((form.check("s"), form.round), (Ok(place("chat")), 1));
    }
}
