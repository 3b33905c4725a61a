use super::{
    effects::{Handles, use_passkeys},
    state::{Action, Edit, Left, Loaded, Passkeys, Phase},
    text,
};
use crate::{
    api::Api,
    console, text as words,
    ui::{
        Again, Content as _, Element, Field, Focus, Group, Hears, Icon, Panel, alert, button, classed, div,
        element, form, group, moment, notice, p, picture, span, status, submit, tag, use_now, waiting,
    },
    words::Tone,
};
use holdfast_pop::Kept;
use holdfast_protocol::passkeys::{Backup, PasskeyView, Trust};
use wasm_bindgen::JsCast as _;
use web_sys::{Event, KeyboardEvent};
use yew::prelude::{Callback, Html, Properties, component};

#[derive(Properties, PartialEq)]
pub struct PasskeysPanelProps {
    pub api: Api,
    /// Where this browser has its key.
    pub kept: Kept,
    /// How often the list has changed since the page was opened.
    pub changes: usize,
}

/// Every passkey of the account.
#[component]
pub fn PasskeysPanel(props: &PasskeysPanelProps) -> Html {
    let handles = use_passkeys(&props.api, props.changes);
    let now_ms = use_now(30_000);
    let (beside, content) = match &*handles.passkeys {
        Passkeys::Loading => (Html::default(), div("inset").with(waiting(Some(text::LOADING))).into_html()),
        Passkeys::Failed(failure) => {
            let failure = alert("passkeys-failure", &failure.words(), Some(Again::new(&handles.fetch)));
            (Html::default(), div("inset").with(failure).into_html())
        }
        Passkeys::Loaded(loaded) => {
            let in_use = span("small muted").with(text::in_use(loaded.in_use()));
            let manage = console::link(props.kept, "small", console::Surface::Passkeys.path(), text::MANAGE);
            let beside = group().with(in_use).with(manage).into_html();
            (beside, list(loaded, &handles, now_ms).into_html())
        }
    };
    Panel { title: text::TITLE, id: "passkeys", beside }.show(content)
}

fn list(loaded: &Loaded, handles: &Handles, now_ms: u64) -> Group {
    // What is of no use any more comes last.
    let removed = |view: &&PasskeyView| view.trust == Trust::Disabled;
    let in_use = loaded.list.iter().filter(|view| !removed(view));
    let rows = in_use.chain(loaded.list.iter().filter(removed)).map(|view| {
        let edit = loaded.edit.as_ref().filter(|edit| edit.id == view.id);
        row(view, edit, handles, now_ms)
    });
    let renamed = matches!(loaded.left, Some((_, Left::Renamed))).then_some(text::RENAMED);
    let advice = || div("inset below").with(notice(Tone::Plain, text::ADVICE));
    group()
        .with(classed("ul", "rows").attr("role", "list").with_each(rows))
        .with((loaded.in_use() == 1).then(advice))
        .with(div("hush").with(status(renamed)))
        .with(loaded.left.as_ref().map(|(id, _)| Focus::at(button_id(id.as_str()))))
}

/// The button that renames it: the focus returns there.
pub(super) fn button_id(id: &str) -> String {
    ["rename-", id].concat()
}

fn row(view: &PasskeyView, edit: Option<&Edit>, handles: &Handles, now_ms: u64) -> Element {
    let rename = (edit.is_none() && view.trust != Trust::Disabled)
        .then(|| rename_button("btn quiet row-end", view, handles));
    classed("li", "passkey")
        .key(view.id.as_str())
        .with(row_icon(view))
        .with(about(view, edit, handles, now_ms))
        .with(rename)
}

/// Where it lives, as a picture.
pub(super) fn row_icon(view: &PasskeyView) -> Element {
    let icon = match view.backup {
        Backup::Synced | Backup::NotYetSynced => Icon::Cloud,
        Backup::DeviceBound if view.transports.iter().any(|name| name == "internal") => Icon::Laptop,
        Backup::DeviceBound => Icon::Key,
    };
    span("row-icon").with(picture(icon))
}

pub(super) fn rename_button(class: &'static str, view: &PasskeyView, handles: &Handles) -> Element {
    let (tell, id) = (handles.passkeys.teller(), view.id.clone());
    let begin = Callback::from(move |()| tell.dispatch(Action::EditBegan(id.clone())));
    button(class, begin)
        .attr("id", button_id(view.id.as_str()))
        .attr("aria-label", text::rename_label(&view.name))
        .with(picture(Icon::Pencil))
        .with(text::RENAME)
}

/// What there is to know about it; its name, or the way to another one.
pub(super) fn about(view: &PasskeyView, edit: Option<&Edit>, handles: &Handles, now_ms: u64) -> Element {
    let title = match edit {
        Some(edit) => rename(edit, handles),
        None => p("row-title")
            .with(element("strong").with(view.name.clone()))
            .with(tag(Tone::Plain, text::backup(view.backup)))
            .with(text::trust(view.trust).map(|(tone, said)| tag(tone, said)))
            .with(view.opened_this_session.then(|| tag(Tone::Held, text::OPENED_THIS))),
    };
    let mut what = view.display_name.clone();
    let transports = text::transports(&view.transports);
    if !transports.is_empty() {
        what.push_str(", ");
        what.push_str(&transports);
    }
    let used = match view.last_used_at_ms {
        Some(at_ms) => group().with(text::USED).with(moment(at_ms, now_ms)).into_html(),
        None => text::NEVER_USED.into_html(),
    };
    let history = p("small muted")
        .with(text::ADDED)
        .with(moment(view.created_at_ms, now_ms))
        .with(", ")
        .with(used)
        .with(". ")
        .with((view.trust != Trust::Disabled).then(|| text::losing(view.backup)));
    div("row-what")
        .with(title)
        .with(p("small muted").with(what))
        .with(history)
        .with((view.trust == Trust::Suspect).then(|| p("fault").with(text::SUSPECT)))
}

fn rename(edit: &Edit, handles: &Handles) -> Element {
    let tell = handles.passkeys.teller();
    let on_input = {
        let tell = tell.clone();
        Callback::from(move |typed| tell.dispatch(Action::Typed(typed)))
    };
    let leave = {
        let tell = tell.clone();
        Callback::from(move |()| tell.dispatch(Action::EditLeft))
    };
    let on_key = {
        let leave = leave.clone();
        move |event: Event| {
            if event.dyn_ref::<KeyboardEvent>().is_some_and(|event| event.key() == "Escape") {
                event.prevent_default();
                leave.emit(());
            }
        }
    };
    let send = {
        let (rename, edit) = (handles.rename.clone(), edit.clone());
        Callback::from(move |()| {
            if edit.phase == Phase::Saving {
                return;
            }
            tell.dispatch(Action::Submitted);
            if edit.fault().is_none() {
                rename.emit((edit.id.clone(), edit.typed.trim().to_owned()));
            }
        })
    };
    let saving = edit.phase == Phase::Saving;
    let fault = match &edit.phase {
        Phase::Faulty(fault) => Some((*fault).to_owned()),
        _ => None,
    };
    let failure = match &edit.phase {
        Phase::Failed(failure) => Some(alert("rename-failure", &failure.words(), None)),
        _ => None,
    };
    let field = Field {
        maxlength: Some("64"),
        fault,
        ..Field::new("new-name", text::NEW_NAME, &edit.typed, on_input)
    };
    let actions = div("actions")
        .with(submit("btn primary").attr("aria-disabled", saving.then_some("true")).with(text::SAVE))
        .with(button("btn quiet", leave).with(words::CANCEL))
        .with(waiting(saving.then_some(text::SAVING)));
    form("rename", send)
        .on(Hears::KeyDown, on_key)
        .with(field.show())
        .with(actions)
        .with(failure)
        .with(Focus::selecting("new-name"))
}
