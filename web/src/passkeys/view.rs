use super::{
    effects::{Handles, use_passkeys},
    state::{Action, Edit, Left, Loaded, Passkeys, Phase},
    text,
};
use crate::{
    api::Api,
    text as words,
    ui::{
        Again, Field, Focus, Icon, Panel, Taking, alert, moment, notice, picture, status, tag, use_now,
        waiting,
    },
    words::Tone,
};
use holdfast_protocol::passkeys::{Backup, PasskeyView, Trust};
use web_sys::{KeyboardEvent, SubmitEvent};
use yew::prelude::{Callback, Html, Properties, component, html};

#[derive(Properties, PartialEq)]
pub struct PasskeysPanelProps {
    pub api: Api,
    /// How often the list has changed since the page was opened.
    pub changes: usize,
}

/// Every passkey of the account.
#[component]
pub fn PasskeysPanel(props: &PasskeysPanelProps) -> Html {
    let handles = use_passkeys(&props.api, props.changes);
    let now_ms = use_now(30_000);
    let (beside, content) = match &*handles.passkeys {
        Passkeys::Loading => (html! {}, html! { <div class="inset">{ waiting(Some(text::LOADING)) }</div> }),
        Passkeys::Failed(failure) => {
            let failure = alert("passkeys-failure", &failure.words(), Some(Again::new(&handles.fetch)));
            (html! {}, html! { <div class="inset">{ failure }</div> })
        }
        Passkeys::Loaded(loaded) => {
            let beside = html! { <span class="small muted">{ text::in_use(loaded.in_use()) }</span> };
            (beside, list(loaded, &handles, now_ms))
        }
    };
    Panel { title: text::TITLE, id: "passkeys", beside }.show(content)
}

fn list(loaded: &Loaded, handles: &Handles, now_ms: u64) -> Html {
    let rows = loaded.list.iter().map(|view| {
        let edit = loaded.edit.as_ref().filter(|edit| edit.id == view.id);
        row(view, edit, handles, now_ms)
    });
    let renamed = matches!(loaded.left, Some((_, Left::Renamed))).then_some(text::RENAMED);
    html! {
        <>
            <ul class="rows" role="list">{ for rows }</ul>
            if loaded.in_use() == 1 { <div class="inset below">{ notice(Tone::Plain, text::ADVICE) }</div> }
            <div class="hush">{ status(renamed) }</div>
            if let Some((id, _)) = &loaded.left { <Focus id={button_id(id.as_str())} /> }
        </>
    }
}

fn button_id(id: &str) -> String {
    ["rename-", id].concat()
}

fn row(view: &PasskeyView, edit: Option<&Edit>, handles: &Handles, now_ms: u64) -> Html {
    let begin = {
        let (tell, id) = (handles.passkeys.dispatcher(), view.id.clone());
        Callback::from(move |_| tell.dispatch(Action::EditBegan(id.clone())))
    };
    let icon = match view.backup {
        Backup::Synced | Backup::NotYetSynced => Icon::Cloud,
        Backup::DeviceBound if view.transports.iter().any(|name| name == "internal") => Icon::Laptop,
        Backup::DeviceBound => Icon::Key,
    };
    let title = match edit {
        Some(edit) => rename(edit, handles),
        None => html! {
            <p class="row-title">
                <strong>{ view.name.clone() }</strong>
                { tag(Tone::Plain, text::backup(view.backup)) }
                { text::trust(view.trust).map(|(tone, said)| tag(tone, said)) }
                if view.opened_this_session { { tag(Tone::Held, text::OPENED_THIS) } }
            </p>
        },
    };
    let mut what = view.display_name.clone();
    let transports = text::transports(&view.transports);
    if !transports.is_empty() {
        what.push_str(", ");
        what.push_str(&transports);
    }
    let used = match view.last_used_at_ms {
        Some(at_ms) => html! { <>{ text::USED }{ moment(at_ms, now_ms) }</> },
        None => text::NEVER_USED.into(),
    };
    html! {
        <li key={view.id.as_str()} class="passkey">
            <span class="row-icon">{ picture(icon) }</span>
            <div class="row-what">
                { title }
                <p class="small muted">{ what }</p>
                <p class="small muted">
                    { text::ADDED }{ moment(view.created_at_ms, now_ms) }{ ", " }{ used }{ ". " }
                    { text::losing(view.backup) }
                </p>
                if view.trust == Trust::Suspect { <p class="fault">{ text::SUSPECT }</p> }
            </div>
            if edit.is_none() && view.trust != Trust::Disabled {
                <button id={button_id(view.id.as_str())} type="button" class="btn quiet row-end"
                    aria-label={text::rename_label(&view.name)} onclick={begin}>
                    { picture(Icon::Pencil) }{ text::RENAME }
                </button>
            }
        </li>
    }
}

fn rename(edit: &Edit, handles: &Handles) -> Html {
    let tell = handles.passkeys.dispatcher();
    let on_input = {
        let tell = tell.clone();
        Callback::from(move |typed| tell.dispatch(Action::Typed(typed)))
    };
    let leave = {
        let tell = tell.clone();
        Callback::from(move |()| tell.dispatch(Action::EditLeft))
    };
    let onkeydown = {
        let leave = leave.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                event.prevent_default();
                leave.emit(());
            }
        })
    };
    let onsubmit = {
        let (rename, edit) = (handles.rename.clone(), edit.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
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
        Phase::Failed(failure) => alert("rename-failure", &failure.words(), None),
        _ => html! {},
    };
    let field = Field {
        maxlength: Some("64"),
        fault,
        ..Field::new("new-name", text::NEW_NAME, &edit.typed, on_input)
    };
    html! {
        <form class="rename" novalidate={true} {onsubmit} {onkeydown}>
            { field.show() }
            <div class="actions">
                <button type="submit" class="btn primary" aria-disabled={saving.then_some("true")}>{ text::SAVE }</button>
                <button type="button" class="btn quiet" onclick={move |_| leave.emit(())}>{ words::CANCEL }</button>
                { waiting(saving.then_some(text::SAVING)) }
            </div>
            { failure }
            <Focus id="new-name" taking={Taking::Select} />
        </form>
    }
}
