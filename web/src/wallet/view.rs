use super::{
    effects::{Handles, use_wallet},
    form::{Faults, Form, Phase, Place},
    state::{Action, Loaded, Older, Wallet},
    text,
};
use crate::{
    api::Api,
    live::Live,
    money::{amount, money},
    step_up::Confirm,
    ui::{
        Again, Content as _, Element, Field, Focus, Group, Icon, Panel, Spelled, alert, button, classed, div,
        element, form, group, moment, notice, p, picture, span, status, submit, use_now, waiting,
    },
    words::Tone,
};
use holdfast_protocol::wallet::{Direction, TransferView};
use yew::prelude::{Callback, Html, Properties, component};

/// The `id` of the button that sends: it gets the focus back.
pub(super) const SEND_ID: &str = "send";

#[derive(Properties, PartialEq)]
pub struct WalletPanelsProps {
    pub api: Api,
    pub confirm: Confirm,
    pub live: Live,
    /// Of the account.
    pub name: String,
}

/// The wallet of whoever is signed in.
#[component]
pub fn WalletPanels(props: &WalletPanelsProps) -> Html {
    let handles = use_wallet(&props.api, &props.confirm, &props.live);
    let now_ms = use_now(30_000);
    match &*handles.wallet {
        Wallet::Loading => waiting(Some(text::LOADING)),
        Wallet::Failed(failure) => {
            alert("wallet-failure", &failure.words(), Some(Again::new(&handles.fetch)))
        }
        Wallet::Loaded(loaded) => group()
            .with(balance(loaded, &props.name, &handles))
            .with(sending(&loaded.form, &handles))
            .with(transfers(loaded, &handles, now_ms))
            .into_html(),
    }
}

fn balance(loaded: &Loaded, name: &str, handles: &Handles) -> Element {
    let id = p("wallet-id")
        .with(element("code").with(loaded.id.as_str().to_owned()))
        .with(button("btn quiet", handles.copy.clone()).with(picture(Icon::Copy)).with(text::COPY))
        .with(status(loaded.copied));
    classed("section", "card balance")
        .attr("aria-labelledby", "balance")
        .with(element("h2").class("small muted").attr("id", "balance").with(text::BALANCE))
        .with(p("sum").with(money(loaded.balance)))
        .with(id)
        .with(p("small muted").with(text::receive(name)))
}

fn sending(filled: &Form, handles: &Handles) -> Html {
    let typed = |place: Place| {
        let tell = handles.wallet.teller();
        Callback::from(move |typed| tell.dispatch(Action::Typed(place, typed)))
    };
    let faults = match &filled.phase {
        Phase::Faulty(faults) => *faults,
        _ => Faults::default(),
    };
    let to = Field {
        spelled: Spelled::AsCode,
        hint: Some(text::TO_HINT),
        fault: faults.to.map(str::to_owned),
        maxlength: Some("64"),
        ..Field::new(Place::To.id(), text::TO, &filled.to, typed(Place::To))
    };
    let to_name = Field {
        hint: Some(text::TO_NAME_HINT),
        fault: faults.to_name.map(str::to_owned),
        maxlength: Some("64"),
        ..Field::new(Place::ToName.id(), text::TO_NAME, &filled.to_name, typed(Place::ToName))
    };
    let how_much = Field {
        hint: Some(text::AMOUNT_HINT),
        fault: faults.amount.map(str::to_owned),
        maxlength: Some("20"),
        ..Field::new(Place::Amount.id(), text::AMOUNT, &filled.amount, typed(Place::Amount))
    };
    // In the person's own way of writing numbers, so that a slip of the point is seen.
    let reads_as = amount(&filled.amount).map(|amount| text::reads_as(&money(amount)));
    let note = Field {
        hint: Some(text::NOTE_HINT),
        maxlength: Some("64"),
        ..Field::new(Place::Note.id(), text::NOTE, &filled.note, typed(Place::Note))
    };
    let busy = filled.phase == Phase::Sending;
    let actions = div("actions")
        .with(
            submit("btn primary")
                .attr("id", SEND_ID)
                .attr("aria-disabled", busy.then_some("true"))
                .with(text::SEND),
        )
        .with(waiting(busy.then_some(text::SENDING)));
    let (failure, sent) = match &filled.phase {
        Phase::Failed(failure) => {
            // As long as the form is what it was, the request and its key are the same ones.
            let once_more = Again { label: text::IF_NOT_GONE, run: handles.send.clone() };
            let once_more = failure.may_pass().then_some(once_more);
            (Some(alert("not-sent", &text::not_sent(failure), once_more)), None)
        }
        Phase::Sent(said) => (None, Some(notice(Tone::Held, said))),
        Phase::Typing | Phase::Faulty(_) | Phase::Sending => (None, None),
    };
    let form = form("form sending", handles.send.clone())
        .with(to.show())
        .with(to_name.show())
        .with(div("how-much").with(how_much.show()).with(p("status").attr("role", "status").with(reads_as)))
        .with(note.show())
        .with(actions)
        .with(failure)
        .with(div("").attr("role", "status").with(sent))
        .with(faults.first().map(|place| Focus::again_at(place.id(), filled.tries.to_string())));
    Panel { title: text::SEND_TITLE, id: "send-money", beside: Html::default() }.show(form)
}

fn transfers(loaded: &Loaded, handles: &Handles, now_ms: u64) -> Html {
    let rows = loaded.transfers.iter().map(|transfer| row(transfer, now_ms));
    let content = if loaded.transfers.is_empty() {
        group().with(p("inset muted").with(text::NONE))
    } else {
        group()
            .with(classed("ul", "rows").attr("role", "list").with_each(rows))
            .with(div("inset below").with(older(loaded, handles)))
    };
    Panel { title: text::TRANSFERS, id: "transfers", beside: Html::default() }.show(content)
}

fn older(loaded: &Loaded, handles: &Handles) -> Group {
    let fetching = loaded.older == Older::Fetching;
    let failure = match &loaded.older {
        Older::Failed(failure) => Some(alert("older-failure", &failure.words(), None)),
        _ => None,
    };
    let more = button("btn", handles.older.clone())
        .attr("aria-disabled", fetching.then_some("true"))
        .with(text::OLDER);
    group()
        .with(failure)
        .with(loaded.more.then_some(more))
        .with((!loaded.more).then(|| p("small muted").with(text::ALL)))
        .with(waiting(fetching.then_some(text::LOADING_OLDER)))
}

fn row(transfer: &TransferView, now_ms: u64) -> Element {
    let (class, sign, way) = match transfer.direction {
        Direction::Received => ("transfer", "+", text::FROM),
        Direction::Sent => ("transfer sent", "−", text::TO_WHOM),
    };
    let whom = match &transfer.other {
        Some(other) => group()
            .with(element("bdi").with(element("strong").with(other.name.clone())))
            .with(" ")
            .with(element("code").class("small muted").with(other.wallet.as_str().to_owned())),
        None => group().with(element("strong").with(text::OPERATOR)),
    };
    let when = p("small muted")
        .with(moment(transfer.at_ms, now_ms))
        .with(", ")
        .with(text::LEFT)
        .with(money(transfer.balance));
    let what = div("row-what")
        .with(p("").with(way).with(whom))
        .with(transfer.note.clone().map(|note| p("small").with(element("q").with(note))))
        .with(when);
    let amount = p("amount").with([sign, &money(transfer.amount)].concat());
    classed("li", class)
        .key(&transfer.number.to_string())
        .with(span("row-icon").with(picture(Icon::Down)))
        .with(what)
        .with(amount)
}
