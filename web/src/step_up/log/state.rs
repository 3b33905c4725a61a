use crate::problem::Failure;
use holdfast_protocol::{
    history::ActivityEvent,
    step_up::{Claim, Group, Kind, StepUpLog},
};
use std::rc::Rc;
use yew::prelude::Reducible;

/// Which entries are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    All,
    Of(Group),
}

impl Filter {
    /// In the order of their buttons.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let groups = [
            Group::AgentApprove,
            Group::Wallet,
            Group::Passkey,
            Group::Agent,
            Group::Credential,
            Group::Account,
        ];
        [Filter::All].into_iter().chain(groups.map(Filter::Of))
    }

    /// As address and server spell it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Filter::All => "all",
            Filter::Of(group) => group.as_str(),
        }
    }

    /// From what follows the question mark; whatever is unknown hides nothing.
    pub(super) fn of_query(query: &str) -> Self {
        let named = query.trim_start_matches('?').split('&').find_map(|part| part.strip_prefix("filter="));
        named.and_then(Group::parse).map_or(Filter::All, Filter::Of)
    }

    /// What follows the question mark.
    pub(super) fn query(self) -> String {
        ["filter=", self.as_str()].concat()
    }
}

/// The log, as far as it was fetched.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Log {
    Loading,
    Failed(Failure),
    Loaded(Loaded),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Loaded {
    pub(super) filter: Filter,
    /// The newest first.
    pub(super) events: Vec<ActivityEvent>,
    pub(super) older: Older,
    /// Actions that the operator has switched the confirmation off for.
    pub(super) switched_off: Vec<Kind>,
    /// Entries whose passkey's provider says "verified" without verifying anybody.
    pub(super) claims: Vec<Claim>,
}

/// What comes below the oldest entry in sight.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Older {
    None,
    There,
    Fetching,
    Failed(Failure),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    /// The newest page.
    Fetched(Filter, StepUpLog),
    CouldNotFetch(Filter, Failure),
    OlderAsked,
    OlderFetched(Filter, StepUpLog),
    CouldNotFetchOlder(Failure),
}

impl Reducible for Log {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        match (&*self, action) {
            (Log::Loaded(loaded), Action::Fetched(filter, page)) if loaded.filter == filter => {
                Rc::new(Log::Loaded(loaded.clone().renewed(page)))
            }
            (_, Action::Fetched(filter, page)) => {
                let StepUpLog { events, more, switched_off, claims } = page;
                let older = Older::of(more);
                Rc::new(Log::Loaded(Loaded { filter, events, older, switched_off, claims }))
            }
            // The list in sight is better than none.
            (Log::Loaded(loaded), Action::CouldNotFetch(filter, _)) if loaded.filter == filter => self,
            (_, Action::CouldNotFetch(_, failure)) => Rc::new(Log::Failed(failure)),
            (Log::Loaded(loaded), Action::OlderAsked) => loaded.with(Older::Fetching),
            (Log::Loaded(loaded), Action::CouldNotFetchOlder(failure)) => loaded.with(Older::Failed(failure)),
            (Log::Loaded(loaded), Action::OlderFetched(filter, page)) if loaded.filter == filter => {
                let mut loaded = loaded.clone();
                loaded.older = Older::of(page.more);
                loaded.claims.extend(page.claims);
                loaded.events = merged(loaded.events, page.events);
                Rc::new(Log::Loaded(loaded))
            }
            // An answer that nobody waits for any more.
            (_, Action::OlderAsked | Action::OlderFetched(..) | Action::CouldNotFetchOlder(_)) => self,
        }
    }
}

impl Older {
    fn of(more: bool) -> Self {
        if more { Older::There } else { Older::None }
    }
}

impl Loaded {
    fn with(&self, older: Older) -> Rc<Log> {
        Rc::new(Log::Loaded(Self { older, ..self.clone() }))
    }

    /// With the newest page as it is now.
    fn renewed(mut self, page: StepUpLog) -> Self {
        let known = self.events.first().map(|event| event.id);
        let reached = page.events.last().map(|event| event.id);
        self.switched_off = page.switched_off;
        self.claims.extend(page.claims);
        if page.more && reached > known {
            // More happened than one page holds: what was in sight would leave a gap.
            self.events = page.events;
            self.older = Older::There;
        } else {
            self.events = merged(page.events, self.events);
        }
        self
    }
}

impl Loaded {
    /// Who says of an entry that the person was verified, and is known to say so in any case.
    pub(super) fn claims_of(&self, event: i64) -> Option<&str> {
        self.claims.iter().find(|claim| claim.event == event).map(|claim| claim.provider.as_str())
    }
}

/// Both as one, the newest first, each event once.
fn merged(mut one: Vec<ActivityEvent>, other: Vec<ActivityEvent>) -> Vec<ActivityEvent> {
    one.extend(other);
    one.sort_by_key(|event| std::cmp::Reverse(event.id));
    one.dedup_by_key(|event| event.id);
    one
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use holdfast_protocol::history::Activity;

    fn page(ids: impl IntoIterator<Item = i64>, more: bool) -> StepUpLog {
        let events = ids.into_iter().map(|id| sample::event(id, Activity::SignedOut)).collect();
        StepUpLog { events, more, switched_off: Vec::new(), claims: Vec::new() }
    }

    fn after(actions: impl IntoIterator<Item = Action>) -> Loaded {
        match &*actions.into_iter().fold(Rc::new(Log::Loading), |log, action| log.reduce(action)) {
            Log::Loaded(loaded) => loaded.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn ids(loaded: &Loaded) -> Vec<i64> {
        loaded.events.iter().map(|event| event.id).collect()
    }

    #[test]
    fn every_filter_leads_back_from_its_address() {
        for filter in Filter::all() {
            assert_eq!(Filter::of_query(&["?", &filter.query()].concat()), filter);
        }
        assert_eq!(Filter::all().count(), Group::ALL.len() + 1);
        for unknown in ["", "?", "?filter=", "?filter=weather", "?other=wallet"] {
            assert_eq!(Filter::of_query(unknown), Filter::All, "{unknown}");
        }
    }

    #[test]
    fn pages_are_one_list_in_which_each_entry_is_once() {
        let all = Filter::All;
        let loaded = after([
            Action::Fetched(all, page([9, 8, 7], true)),
            Action::OlderAsked,
            Action::OlderFetched(all, page([7, 6, 5], false)),
            Action::Fetched(all, page([10, 9, 8], true)),
        ]);
        assert_eq!((ids(&loaded), loaded.older), (vec![10, 9, 8, 7, 6, 5], Older::None));
    }

    #[test]
    fn a_gap_is_not_hidden() {
        let all = Filter::All;
        let loaded =
            after([Action::Fetched(all, page([9, 8], false)), Action::Fetched(all, page([30, 29], true))]);
        assert_eq!((ids(&loaded), loaded.older), (vec![30, 29], Older::There));
    }

    #[test]
    fn an_answer_to_an_earlier_filter_adds_nothing() {
        let wallet = Filter::Of(Group::Wallet);
        let loaded = after([
            Action::Fetched(Filter::All, page([9, 8], true)),
            Action::OlderAsked,
            Action::Fetched(wallet, page([4], false)),
            Action::OlderFetched(Filter::All, page([7], false)),
        ]);
        assert_eq!((ids(&loaded), loaded.filter), (vec![4], wallet));
    }

    #[test]
    fn what_is_in_sight_survives_a_server_that_is_away() {
        let fetched = || Rc::new(Log::Loading).reduce(Action::Fetched(Filter::All, page([9], false)));
        let away = |filter| Action::CouldNotFetch(filter, Failure::ServerAway);
        assert_eq!(fetched().reduce(away(Filter::All)), fetched());
        let other = fetched().reduce(away(Filter::Of(Group::Wallet)));
        assert_eq!(*other, Log::Failed(Failure::ServerAway), "another filter's entries are not in sight");
    }
}
