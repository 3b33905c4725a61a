use super::{
    Confirm,
    check::Difference,
    deed::deed,
    effects::Flow,
    state::{Open, Phase, Prompt},
    text,
};
use crate::store::{at_end, use_effect_of, use_kept, use_store, use_value};
use crate::{
    api::Api,
    ceremony::{Capabilities, WillAsk},
    problem::Failure,
    text as words,
    ui::{Again, Countdown, Element, Focus, Group, Modal, alert, button, div, element, group, p, waiting},
    webauthn,
};
use gloo_events::EventListener;
use gloo_timers::callback::Interval;
use holdfast_protocol::{account::Me, history::Device};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::{Callback, Html, hook};

const LOOK_EVERY_MS: u32 = 20_000;
const HEADING: &str = "step-up";
const DEED: &str = "step-up-deed";
const SAID: &str = "step-up-said";

/// The prompt, for the console.
pub struct StepUp {
    /// For every panel.
    pub confirm: Confirm,
    /// To be drawn once, anywhere: it lies in front of the page.
    pub prompt: Html,
}

/// The one prompt of a console in which somebody is signed in.
#[hook]
pub fn use_step_up(api: &Api, me: &Rc<Me>) -> StepUp {
    let prompt = use_store(|| Prompt::Closed);
    let capabilities = use_value(|| None::<Capabilities>);
    let flow = {
        let (prompt, me) = (prompt.clone(), me.clone());
        use_kept(api.clone(), move |api: &Api| Rc::new(Flow::new(api.clone(), prompt.clone(), me.clone())))
    };
    {
        let flow = flow.clone();
        use_effect_of(me.clone(), move |me| {
            flow.me.replace(me.clone());
        });
    }
    {
        let (flow, found) = (flow.clone(), capabilities.setter());
        use_effect_of((), move |()| {
            spawn_local(async move {
                // Without them nothing is said of what the device will ask for.
                if let Ok(capabilities) = webauthn::capabilities().await {
                    found.set(Some(capabilities));
                }
            });
            at_end(move || flow.leave())
        });
    }
    {
        let flow = flow.clone();
        use_effect_of(matches!(&*prompt, Prompt::Open(_)), move |open| {
            open.then(|| {
                let watch = Callback::from(move |()| flow.renew_if_stale());
                let ticking = {
                    let watch = watch.clone();
                    Interval::new(LOOK_EVERY_MS, move || watch.emit(()))
                };
                let document = web_sys::window().and_then(|window| window.document());
                let seen = document.map(|document| {
                    EventListener::new(&document, "visibilitychange", move |_| watch.emit(()))
                });
                (ticking, seen)
            })
        });
    }
    let will_ask = capabilities.map(Capabilities::will_ask);
    let shown = match &*prompt {
        Prompt::Closed => Html::default(),
        Prompt::Open(open) => dialog(open, &flow, &me.session.device, will_ask),
    };
    StepUp { confirm: Confirm(flow), prompt: shown }
}

fn dialog(open: &Open, flow: &Rc<Flow>, device: &Device, will_ask: Option<WillAsk>) -> Html {
    let leave = {
        let flow = flow.clone();
        Callback::from(move |()| flow.leave())
    };
    let (title, content) = match &open.phase {
        Phase::Alarm(difference) => (text::ALARM_TITLE, alarm(open, *difference)),
        Phase::Barred(failure) => (text::BARRED_TITLE, barred(failure, flow)),
        Phase::Asking if open.said.is_none() => (text::TITLE, group()),
        _ => (text::TITLE, asked(open, device, will_ask)),
    };
    let going_on = match &open.phase {
        Phase::Asking => Some(text::ASKING),
        Phase::Prompting => Some(text::PROMPTING),
        Phase::Sending => Some(text::SENDING),
        _ => None,
    };
    let content = div("step-up").with(content).with(waiting(going_on)).with(ways(open, flow, leave.clone()));
    Modal::open(HEADING, open.opener, title, leave, content)
}

/// What is to be done, and how it is confirmed.
fn asked(open: &Open, device: &Device, will_ask: Option<WillAsk>) -> Group {
    let said = match &open.phase {
        Phase::Unanswered(failure) => Some(text::unanswered(failure)),
        _ => open.said.clone(),
    };
    let by = matches!(open.phase, Phase::Ready | Phase::Prompting)
        .then(|| p("small muted").with(text::by(device, open.asked.signer, will_ask)));
    // It is read first; an answer of the person's comes after that.
    let first = (open.phase == Phase::Ready && said.is_none()).then(|| Focus::at(DEED));
    group()
        .with(p("small muted").with(text::LEAD))
        .with(deed(DEED, &open.asked.sentence))
        .with(by)
        .with(open.claimed.then(|| p("small claimed").with(text::CLAIMED)))
        .with(said.map(|said| alert(SAID, &said, None)))
        .with(first)
}

/// Nothing of what the server wanted signed is shown: only what the person had asked for.
fn alarm(open: &Open, difference: Difference) -> Group {
    let quote = element("code").with(text::to_quote(open.asked.kind, difference));
    group()
        .with(alert(SAID, &text::ALARM, None))
        .with(p("small").with(text::QUOTE).with(quote))
        .with(p("small muted").with(text::ALARM_ASKED))
        .with(deed(DEED, &open.asked.sentence))
}

fn barred(failure: &Failure, flow: &Rc<Flow>) -> Group {
    let until_ms = match failure {
        Failure::Refused(problem) => problem.until_ms,
        _ => None,
    };
    let again = {
        let flow = flow.clone();
        Again::new(&Callback::from(move |()| flow.ask_again(None)))
    };
    let security = element("a").attr("href", "/security").with(text::SECURITY_PAGE);
    group()
        .with(alert(SAID, &text::barred(failure), None))
        .with(until_ms.map(|until_ms| Countdown::show(until_ms, again)))
        .with(until_ms.is_none().then(|| p("").with(security)))
}

fn ways(open: &Open, flow: &Rc<Flow>, leave: Callback<()>) -> Element {
    let run = |act: fn(&Rc<Flow>)| {
        let flow = flow.clone();
        Callback::from(move |()| act(&flow))
    };
    let primary = |label, act: fn(&Rc<Flow>)| Some(button("btn primary", run(act)).with(label));
    let first = match &open.phase {
        Phase::Ready => primary(text::CONFIRM, Flow::press),
        Phase::Asking | Phase::Prompting => {
            primary(text::CONFIRM, |_| ()).map(|button| button.attr("aria-disabled", "true"))
        }
        Phase::Stuck => primary(words::TRY_AGAIN, |flow| flow.ask_again(None)),
        Phase::Unanswered(failure) if failure.may_pass() => primary(text::SEND_AGAIN, Flow::send_again),
        Phase::Unanswered(_) | Phase::Sending | Phase::Barred(_) | Phase::Alarm(_) => None,
    };
    // What is sent already cannot be called back.
    let way_out = match open.phase {
        Phase::Asking | Phase::Ready | Phase::Prompting | Phase::Stuck => words::CANCEL,
        _ => text::CLOSE,
    };
    div("step-up-ways").with(button("btn", leave).with(way_out)).with(first)
}
