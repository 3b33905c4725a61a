use super::{
    add::{Adding, Why},
    deed::{Action, Deed, Deeds, Kind, Phase},
    effects::{
        ADD_OPENER, AddHandles, DeedHandles, Means, REMOVE_OPENER, TEST_OPENER, use_adding, use_deeds,
    },
    meaning, text,
};
use crate::{
    api::Api,
    passkeys::{
        effects::{Handles as ListHandles, use_passkeys},
        state::{self, Loaded, Passkeys},
        text as list_text, view as list_view,
    },
    problem::Failure,
    session,
    step_up::Confirm,
    text as words,
    ui::{
        Again, Content as _, Element, Focus, Group, Icon, Panel, alert, button, classed, div, element, group,
        notice, p, picture, span, use_now, waiting,
    },
    words::Tone,
};
use holdfast_protocol::{
    account::Me,
    passkeys::{PasskeyView, Trust},
    problem::Code,
};
use std::rc::Rc;
use yew::prelude::{Callback, Html, Properties, component};

#[derive(Properties, PartialEq)]
pub struct ManagePasskeysProps {
    pub api: Api,
    pub confirm: Confirm,
    pub me: Rc<Me>,
    pub on_session: Callback<session::Action>,
    /// How often the list has changed since the page was opened.
    pub changes: usize,
}

/// Every passkey of the account, and what can be done about each.
#[component]
pub fn ManagePasskeys(props: &ManagePasskeysProps) -> Html {
    let list = use_passkeys(&props.api, props.changes);
    let means = Means {
        api: props.api.clone(),
        confirm: props.confirm.clone(),
        on_session: props.on_session.clone(),
        fetch: list.fetch.clone(),
    };
    let deeds = use_deeds(&means);
    let adding = use_adding(&means, &props.me, named_at_once(&list));
    let now_ms = use_now(30_000);
    match &*list.passkeys {
        Passkeys::Loading => {
            panel(Html::default()).show(div("inset").with(waiting(Some(list_text::LOADING))))
        }
        Passkeys::Failed(failure) => {
            let failure = alert("passkeys-failure", &failure.words(), Some(Again::new(&list.fetch)));
            panel(Html::default()).show(div("inset").with(failure))
        }
        Passkeys::Loaded(loaded) => {
            let shown = Shown { loaded, list: &list, deeds: &deeds, adding: &adding, now_ms };
            group().with(shown.in_use()).with(shown.removed()).into_html()
        }
    }
}

fn panel(beside: Html) -> Panel {
    Panel { title: text::IN_USE, id: "passkeys", beside }
}

/// A new passkey gets its name first of all.
fn named_at_once(list: &ListHandles) -> Callback<PasskeyView> {
    let passkeys = list.passkeys.clone();
    Callback::from(move |view: PasskeyView| {
        if let Passkeys::Loaded(loaded) = &*passkeys.latest() {
            let (tell, id) = (passkeys.teller(), view.id.clone());
            let known = loaded.list.iter().filter(|known| known.id != id).cloned();
            tell.dispatch(state::Action::Fetched(known.chain([view]).collect()));
            tell.dispatch(state::Action::EditBegan(id));
        }
    })
}

struct Shown<'a> {
    loaded: &'a Loaded,
    list: &'a ListHandles,
    deeds: &'a DeedHandles,
    adding: &'a AddHandles,
    now_ms: u64,
}

impl Shown<'_> {
    fn in_use(&self) -> Html {
        let Shown { loaded, adding, .. } = self;
        let idle = adding.adding.may_begin();
        let add = button("btn primary", adding.begin.clone())
            .attr("id", ADD_OPENER)
            .attr("aria-disabled", (!idle).then_some("true"))
            .with(text::ADD);
        let beside =
            group().with(span("small muted").with(text::number(loaded.in_use()))).with(add).into_html();
        let rows = loaded.list.iter().filter(|view| view.trust != Trust::Disabled).map(|view| self.row(view));
        let one_provider = || {
            let provider = meaning::kept_by_one(&loaded.list)?;
            Some(notice(Tone::Plain, &text::kept_by_one(provider)))
        };
        let advice =
            if loaded.in_use() == 1 { Some(notice(Tone::Wait, list_text::ADVICE)) } else { one_provider() };
        let renamed = loaded.left.as_ref().map(|(id, _)| Focus::at(list_view::button_id(id.as_str())));
        let top = div("inset stack")
            .with(advice)
            .with(add_box(adding, loaded.edit.as_ref()))
            .with(self.removal_done());
        let rows = classed("ul", "rows").attr("role", "list").with_each(rows);
        panel(beside).show(group().with(top).with(rows).with(renamed))
    }

    /// Said at the top, because its row is gone.
    fn removal_done(&self) -> Group {
        let done = match &*self.deeds.deeds {
            Deeds::Latest(deed) if deed.kind == Kind::Removal && deed.phase == Phase::Done => Some(deed),
            _ => None,
        };
        group()
            .with(said(done))
            .with(done.map(|deed| Focus::again_at("passkeys", deed.id.as_str().to_owned())))
    }

    fn row(&self, view: &PasskeyView) -> Element {
        let edit = self.loaded.edit.as_ref().filter(|edit| edit.id == view.id);
        let about = list_view::about(view, edit, self.list, self.now_ms)
            .with(identity(view))
            .with(edit.is_none().then(|| self.ways(view)))
            .with(self.test_ended(view))
            .with(self.sessions(view))
            .with(self.removal(view));
        classed("li", "passkey").key(view.id.as_str()).with(list_view::row_icon(view)).with(about)
    }

    /// What can be done about it.
    fn ways(&self, view: &PasskeyView) -> Element {
        let deeds = &self.deeds.deeds;
        let busy = deeds.busy().then_some("true");
        // The focus returns to the button that the latest test began with.
        let tested = deeds.of(Kind::Test, &view.id).map(|_| TEST_OPENER);
        let test = button("btn quiet", self.unless_busy(&self.deeds.test, view))
            .attr("id", tested)
            .attr("aria-disabled", busy)
            .attr("aria-label", text::label(text::TEST, &view.name))
            .with(picture(Icon::Check))
            .with(text::TEST);
        let weigh = {
            let (tell, noted, view) = (deeds.teller(), self.adding.noted.clone(), view.clone());
            Callback::from(move |()| {
                noted.emit(());
                tell.dispatch(Action::Weighed(view.clone()));
            })
        };
        let remove = button("btn quiet", weigh)
            .attr("id", weigh_id(view))
            .attr("aria-label", text::label(text::REMOVE, &view.name))
            .with(text::REMOVE);
        div("row-ways").with(test).with(list_view::rename_button("btn quiet", view, self.list)).with(remove)
    }

    fn unless_busy(&self, run: &Callback<PasskeyView>, view: &PasskeyView) -> Callback<()> {
        let (deeds, run, view) = (self.deeds.deeds.clone(), run.clone(), view.clone());
        let noted = self.adding.noted.clone();
        Callback::from(move |()| {
            if !deeds.latest().busy() {
                noted.emit(());
                run.emit(view.clone());
            }
        })
    }

    fn test_ended(&self, view: &PasskeyView) -> Group {
        let again = self.unless_busy(&self.deeds.test, view);
        let phase = self.deeds.deeds.of(Kind::Test, &view.id);
        group()
            .with(said(self.latest(phase)))
            .with(phase.and_then(|phase| failed("test-failure", phase, Some(&again))))
    }

    fn latest(&self, of: Option<&Phase>) -> Option<&Deed> {
        match &*self.deeds.deeds {
            Deeds::Latest(deed) => of.map(|_| deed),
            Deeds::None => None,
        }
    }

    /// The sessions that it has opened, and the offer to end them.
    fn sessions(&self, view: &PasskeyView) -> Group {
        let phase = self.deeds.deeds.of(Kind::EndOfSessions, &view.id);
        let run = self.unless_busy(&self.deeds.end_sessions, view);
        let ending = phase == Some(&Phase::UnderWay);
        let offer = (view.other_sessions > 0).then(|| {
            let label = text::label(text::END_SESSIONS, &view.name);
            let end = button("btn quiet", run.clone())
                .attr("aria-disabled", ending.then_some("true"))
                .attr("aria-label", label)
                .with(text::END_SESSIONS);
            div("row-ways").with(span("small").with(text::sessions(view.other_sessions))).with(end)
        });
        group()
            .with(offer)
            .with(said(self.latest(phase)))
            .with(waiting(ending.then_some(text::ENDING)))
            .with(phase.and_then(|phase| failed("sessions-failure", phase, Some(&run))))
    }

    /// What removing it means, before it is done.
    fn removal(&self, view: &PasskeyView) -> Option<Group> {
        let phase = self.deeds.deeds.of(Kind::Removal, &view.id)?;
        match phase {
            Phase::Done => return None,
            Phase::Left => return Some(group().with(Focus::at(weigh_id(view)))),
            Phase::Weighing | Phase::UnderWay | Phase::Failed(_) => {}
        }
        let keep = {
            let tell = self.deeds.deeds.teller();
            Callback::from(move |()| tell.dispatch(Action::Left))
        };
        let content = if self.loaded.in_use() == 1 { self.last(keep) } else { self.weigh(view, phase, keep) };
        Some(group().with(content))
    }

    /// Nobody could sign in without it.
    fn last(&self, keep: Callback<()>) -> Element {
        let actions = div("actions")
            .with(button("btn primary", self.adding.begin.clone()).with(text::ADD))
            .with(button("btn quiet", keep).with(text::KEEP));
        task("removal-title", text::LAST).with(p("").with(text::ADD_FIRST)).with(actions)
    }

    fn weigh(&self, view: &PasskeyView, phase: &Phase, keep: Callback<()>) -> Element {
        let means = meaning::of_removing(view, self.loaded.in_use());
        let means = means.into_iter().map(|means| element("li").with(means));
        let busy = *phase == Phase::UnderWay;
        let remove = button("btn danger", self.unless_busy(&self.deeds.remove, view))
            .attr("id", REMOVE_OPENER)
            .attr("aria-disabled", busy.then_some("true"))
            .with(text::REMOVE_NOW);
        let keep = button("btn quiet", keep).attr("aria-disabled", busy.then_some("true")).with(text::KEEP);
        let actions = div("actions").with(remove).with(keep);
        task("removal-title", text::remove_title(&view.name))
            .with(classed("ul", "means").attr("role", "list").with_each(means))
            .with(actions)
            .with(failed("removal-failure", phase, None))
    }

    fn removed(&self) -> Option<Html> {
        let mut gone = self.loaded.list.iter().filter(|view| view.trust == Trust::Disabled).peekable();
        gone.peek()?;
        let rows = gone.map(|view| {
            let about = div("row-what")
                .with(p("row-title").with(element("strong").with(view.name.clone())))
                .with(p("small muted").with(view.display_name.clone()))
                .with(identity(view))
                .with(self.sessions(view));
            classed("li", "passkey").key(view.id.as_str()).with(list_view::row_icon(view)).with(about)
        });
        let panel = Panel { title: text::REMOVED_TITLE, id: "removed", beside: Html::default() };
        let rows = classed("ul", "rows").attr("role", "list").with_each(rows);
        let said = p("inset small muted").with(text::REMOVED_BODY);
        Some(panel.show(group().with(said).with(rows)))
    }
}

fn weigh_id(view: &PasskeyView) -> String {
    ["remove-", view.id.as_str()].concat()
}

/// Its unchanging id, and that nothing speaks against it; what does stands beside its name.
fn identity(view: &PasskeyView) -> Element {
    let trusted = (view.trust == Trust::Trusted).then_some(text::TRUSTED);
    p("small muted").with(text::ID).with(element("code").with(view.id.as_str().to_owned())).with(trusted)
}

/// How the latest deed ended. It is always there, so that a change of its text is heard.
fn said(deed: Option<&Deed>) -> Element {
    let said = deed.and_then(text::ended);
    let done = deed.is_some_and(|deed| deed.phase == Phase::Done);
    classed("p", if done { "status held" } else { "status" })
        .attr("role", "status")
        .with((done && said.is_some()).then(|| picture(Icon::Check)))
        .with(said)
}

fn failed(id: &'static str, phase: &Phase, again: Option<&Callback<()>>) -> Option<Html> {
    match phase {
        Phase::Failed(failure) => {
            let again = again.filter(|_| failure.may_pass()).map(Again::new);
            Some(alert(id, &failure.words(), again))
        }
        _ => None,
    }
}

/// Something to decide, beside what it is about. Its title takes the focus when it appears.
fn task(id: &'static str, title: impl Into<std::borrow::Cow<'static, str>>) -> Element {
    let title = p("").attr("id", id).attr("tabindex", "-1").with(element("strong").with(title.into()));
    div("task").attr("role", "group").attr("aria-labelledby", id).with(title).with(Focus::at(id))
}

/// The way of a further passkey, as far as it has come.
fn add_box(handles: &AddHandles, naming: Option<&state::Edit>) -> Html {
    let AddHandles { adding, make, send, begin, leave, .. } = handles;
    let busy = match &**adding {
        Adding::Resting => return Html::default(),
        Adding::Added => {
            return notice(Tone::Held, naming.map_or(text::ADDED, |_| text::ADDED_NAME_IT));
        }
        Adding::Confirming => return waiting(Some(text::CONFIRMING)),
        Adding::Ended(why) => return ended(why, begin),
        Adding::Ready(_) | Adding::Unsent(_) => None,
        Adding::Prompting(_) => Some(text::PROMPTING),
        Adding::Checking => Some(text::CHECKING),
    };
    let failure = match &**adding {
        Adding::Ready(Some(failure)) => Some(alert("not-made", &text::not_made(failure), None)),
        Adding::Unsent(failure) => Some(alert("not-sent", &failure.words(), Some(Again::new(send)))),
        _ => None,
    };
    let run = match &**adding {
        Adding::Ready(_) => make.clone(),
        _ => Callback::noop(),
    };
    let make = (!matches!(**adding, Adding::Unsent(_)))
        .then(|| button("btn primary", run).attr("aria-disabled", busy.map(|_| "true")).with(text::MAKE));
    let will_ask = handles.will_ask.map(|will_ask| p("").with(words::will_ask_to_make(will_ask)));
    task("make-title", text::MAKE_TITLE)
        .with(will_ask)
        .with(p("small muted").with(text::MAKE_ELSEWHERE))
        .with(failure)
        .with(div("actions").with(make).with(button("btn quiet", leave.clone()).with(words::CANCEL)))
        .with(waiting(busy))
        .into_html()
}

fn ended(why: &Why, begin: &Callback<()>) -> Html {
    let again = Again { label: text::CONFIRM_AGAIN, run: begin.clone() };
    match why {
        Why::Expired => alert("not-added", &text::EXPIRED, Some(again)),
        Why::Refused(failure) => {
            alert("not-added", &failure.words(), (!settles_by_itself(failure)).then_some(again))
        }
    }
}

/// Another confirmation would be refused like this one.
fn settles_by_itself(failure: &Failure) -> bool {
    let codes = [Code::TooManyPasskeys, Code::RecoveryPending, Code::Cooldown, Code::RiskHold];
    failure.code().is_some_and(|code| codes.contains(&code))
}
