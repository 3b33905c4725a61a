use super::{
    effects::{Handles, LIST, SEND, VALUE, use_credentials},
    state::{
        Action, Begun, Credentials, Fault, Form, List, Loaded, Phase, Place, Removed, Removing, Sight, Works,
    },
    text,
};
use crate::{
    api::Api,
    problem::Failure,
    step_up::Confirm,
    ui::{
        Again, Choice, Content as _, Element, Field, Focus, Group, Hears, Icon, Panel, Spelled, alert,
        button, classed, div, element, form, group, moment, notice, p, picture, span, submit, tag, use_now,
        waiting,
    },
    words::{Tone, Words},
};
use holdfast_protocol::{
    credentials::{CredentialState, CredentialView, DEFAULT},
    problem::Code,
};
use yew::prelude::{Callback, Html, Properties, component};

#[derive(Properties, PartialEq)]
pub struct CredentialsPanelsProps {
    pub api: Api,
    pub confirm: Confirm,
}

/// What is stored, and the form for one more.
#[component]
pub fn CredentialsPanels(props: &CredentialsPanelsProps) -> Html {
    let handles = use_credentials(&props.api, &props.confirm);
    let now_ms = use_now(30_000);
    let content = match &handles.credentials.list {
        List::Loading => return panel(div("inset").with(waiting(Some(text::LOADING)))),
        List::Failed(failure) => {
            let again = Again::new(&handles.fetch);
            return panel(div("inset").with(alert("credentials-failure", &failure.words(), Some(again))));
        }
        List::Loaded(loaded) => group().with(panel(list(loaded, &handles, now_ms))).with(
            Panel { title: text::STORE, id: "store-credential", beside: Html::default() }
                .show(storing(loaded, &handles)),
        ),
    };
    content.into_html()
}

fn panel(content: impl crate::ui::Content) -> Html {
    Panel { title: text::LIST, id: LIST, beside: Html::default() }.show(content)
}

fn list(loaded: &Loaded, handles: &Handles, now_ms: u64) -> Group {
    let Credentials { removal, done, .. } = &*handles.credentials;
    let failed = match removal {
        Some(Removing { phase: Removed::Failed(failure), .. }) => Some(failure),
        _ => None,
    };
    let left = match removal {
        Some(Removing { place, phase: Removed::Left }) => Some(delete_id(place)),
        _ => None,
    };
    let said = done.as_ref().map(text::done).or_else(|| left.as_ref().map(|_| text::NOT_DELETED.to_owned()));
    let rows = loaded.credentials.iter().map(|view| row(view, loaded, handles, now_ms));
    let rows = match loaded.credentials.is_empty() {
        true => p("inset muted").with(text::NONE),
        false => classed("ul", "rows").attr("role", "list").with_each(rows),
    };
    let failed = failed
        .map(|failure| div("inset below").with(alert("removal-failure", &removal_words(failure), None)));
    group()
        .with(rows)
        .with(failed)
        .with(p("inset status").attr("role", "status").with(said))
        .with(left.map(|id| Focus::again_at(id, "left")))
}

fn removal_words(failure: &Failure) -> Words {
    match failure.code() {
        Some(Code::NotFound) => text::gone(),
        _ => failure.words(),
    }
}

fn delete_id(place: &Place) -> String {
    ["delete-", &place.key()].concat()
}

fn row(view: &CredentialView, loaded: &Loaded, handles: &Handles, now_ms: u64) -> Element {
    let (place, channel) = (Place::of(view), view.channel.as_str());
    let unreadable = view.state == CredentialState::Unreadable;
    let (tone, readers) = text::readers(channel, loaded);
    let agent = loaded.agent_of(channel);
    let title = p("row-title")
        .with(classed("strong", "mono").with(view.name.as_str().to_owned()))
        .with(tag(tone, readers))
        .with(unreadable.then(|| tag(Tone::Broken, text::UNREADABLE_TAG)));
    let read = match &view.read {
        None => text::NEVER_READ.into_html(),
        Some(read) => {
            let reader = loaded.agent_of(&read.agent).map_or(read.agent.clone(), |agent| agent.name.clone());
            group()
                .with(text::READ_BY)
                .with(reader)
                .with(" ")
                .with(moment(read.at_ms, now_ms))
                .with(".")
                .into_html()
        }
    };
    let history = p("small muted").with(text::STORED).with(moment(view.stored_at_ms, now_ms)).with(read);
    let revoked = agent.is_some_and(|agent| agent.works == Works::Revoked);
    let what = div("row-what")
        .with(title)
        .with((channel != DEFAULT).then(|| p("small muted mono").with(channel.to_owned())))
        .with(history)
        .with(revoked.then(|| p("small muted").with(text::REVOKED)))
        .with(unreadable.then(|| p("fault").with(text::UNREADABLE)));
    let replace = {
        let (tell, place) = (handles.credentials.teller(), place.clone());
        Callback::from(move |()| tell.dispatch(Action::ReplacementBegan(place.clone())))
    };
    let delete = {
        let (remove, place) = (handles.remove.clone(), place.clone());
        Callback::from(move |()| remove.emit(place.clone()))
    };
    let busy = handles.credentials.is_busy().then_some("true");
    let under_way = matches!(
        &handles.credentials.removal,
        Some(Removing { place: other, phase: Removed::UnderWay }) if *other == place
    );
    let actions = div("actions row-end")
        .with(
            button("btn quiet", replace)
                .attr("aria-label", text::button(text::REPLACE, &place, loaded))
                .attr("aria-disabled", busy)
                .with(text::REPLACE),
        )
        .with(
            button("btn quiet danger", delete)
                .attr("id", delete_id(&place))
                .attr("aria-label", text::button(text::DELETE, &place, loaded))
                .attr("aria-disabled", busy)
                .with(text::DELETE),
        )
        .with(waiting(under_way.then_some(text::DELETING)));
    classed("li", "credential")
        .key(&place.key())
        .with(span("row-icon").with(picture(Icon::Key)))
        .with(what)
        .with(actions)
}

fn storing(loaded: &Loaded, handles: &Handles) -> Element {
    let Form { name, channel, phase, round, begun, .. } = &handles.credentials.form;
    let tell = handles.credentials.teller();
    let told = |action: fn(String) -> Action| {
        let tell = tell.clone();
        Callback::from(move |typed| tell.dispatch(action(typed)))
    };
    let fault = match phase {
        Phase::Faulty(Fault::Name(fault)) => Some((*fault).to_owned()),
        _ => None,
    };
    let name = Field {
        hint: Some(text::NAME_HINT),
        fault,
        spelled: Spelled::AsCode,
        maxlength: Some("64"),
        ..Field::new("credential-name", text::NAME, name, told(Action::NameTyped))
    };
    let options = loaded.channels(channel).into_iter();
    let readers = Choice {
        id: "credential-channel",
        label: text::CHANNEL,
        options: options.map(|channel| (channel.clone(), text::reader(&channel, loaded))).collect(),
        first: channel,
        on_choice: told(Action::ChannelChosen),
        hint: Some(text::CHANNEL_HINT),
    };
    let storing = *phase == Phase::Storing;
    let failure = match phase {
        Phase::Failed(failure) => Some(alert("store-failure", &failure.words(), None)),
        _ => None,
    };
    let said = match phase {
        Phase::Storing => waiting(Some(text::SENDING)),
        Phase::Left => p("status").attr("role", "status").with(text::NOT_STORED).into_html(),
        _ => waiting(None),
    };
    let busy = (storing || handles.credentials.is_busy()).then_some("true");
    let send = submit("btn primary").attr("id", SEND).attr("aria-disabled", busy).with(text::SEND);
    form("form credential-form", handles.store.clone())
        .with(notice(Tone::Plain, text::ONCE))
        .with(name.show())
        .with(div("").key(&round.to_string()).with(readers.show()))
        .with(value(handles))
        .with(failure)
        .with(div("actions").with(send).with(said))
        .with((*begun == Begun::FromList).then(|| Focus::again_at(VALUE, round.to_string())))
}

/// The one place where the value is, until it is sent: the browser's own field, which the page does not fill.
fn value(handles: &Handles) -> Element {
    let Form { phase, sight, round, .. } = &handles.credentials.form;
    let tell = handles.credentials.teller();
    let turn = {
        let tell = tell.clone();
        move |_| tell.dispatch(Action::SightTurned)
    };
    let fault = match phase {
        Phase::Faulty(Fault::Value(fault)) => Some(*fault),
        _ => None,
    };
    let class = match sight {
        Sight::Covered => "mono covered",
        Sight::Open => "mono",
    };
    let described = if fault.is_some() { "value-fault value-hint" } else { "value-hint" };
    let field = classed("textarea", class)
        .key(&round.to_string())
        .attr("id", VALUE)
        .attr("rows", "3")
        .attr("autocomplete", "off")
        .attr("autocapitalize", "off")
        .attr("autocorrect", "off")
        .attr("spellcheck", "false")
        .attr("aria-invalid", fault.map(|_| "true"))
        .attr("aria-describedby", described)
        .on(Hears::Input, move |_| tell.dispatch(Action::ValueTyped));
    let show = element("input")
        .attr("type", "checkbox")
        .attr("id", "value-shown")
        .attr("checked", (*sight == Sight::Open).then_some(""))
        .on(Hears::Input, turn);
    div("field")
        .with(element("label").attr("for", VALUE).with(text::VALUE))
        .with(field)
        .with(fault.map(|fault| p("fault").attr("role", "alert").attr("id", "value-fault").with(fault)))
        .with(p("hint").attr("id", "value-hint").with(text::VALUE_HINT))
        .with(div("check").with(show).with(element("label").attr("for", "value-shown").with(text::SHOW)))
}
