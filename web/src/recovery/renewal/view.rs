use super::{
    state::{Action, Before, Renewal, Standing},
    text,
};
use crate::store::{Tell, use_effect_of, use_store};
use crate::{
    api::{Access, Api, Call},
    clock,
    recovery::{
        effects::{came_in_force, use_codes},
        left::{left, number_left},
        state::{self, Codes},
        text as words,
        view::{sheet, type_back},
    },
    session,
    step_up::{Confirm, Stopped},
    ui::{
        Content as _, Element, Focus, Group, Panel, button, component_of, div, group, notice, p, use_now,
        waiting,
    },
    words::Tone,
};
use holdfast_protocol::{
    account::Me,
    base64url::Bytes,
    recovery::{RecoveryCodesView, Regeneration},
};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::{Callback, Html, Properties, component};

/// Where the focus returns to when the prompt closes: the field for the code.
const TYPED: &str = "typed";
const MAKE: &str = "make-codes";

#[derive(Properties, PartialEq)]
pub struct RenewCodesProps {
    pub api: Api,
    pub confirm: Confirm,
    pub me: Rc<Me>,
    pub on_session: Callback<session::Action>,
}

/// How many codes are left, and the way to new ones.
#[component]
pub fn RenewCodes(props: &RenewCodesProps) -> Html {
    let renewal = use_store(Renewal::new);
    let now_ms = use_now(30_000);
    let Some(codes) = &props.me.recovery_codes else { return Html::default() };
    let tell = renewal.teller();
    let (ask, below) = match *renewal {
        Renewal::Shown(standing) => {
            let renewal = renewal.clone();
            let RenewCodesProps { api, confirm, me, on_session } = props;
            let properties = NewCodesProps {
                api: api.clone(),
                confirm: confirm.clone(),
                me: me.clone(),
                on_session: on_session.clone(),
                standing,
                // Kept at once: the page may be gone before it is drawn anew.
                on_renewal: Callback::from(move |action| {
                    tell.dispatch(action);
                    renewal.latest().keep();
                }),
            };
            (None, component_of::<NewCodes>(properties, None))
        }
        Renewal::Resting(before) => {
            let at_first = matches!(before, Before::Nothing | Before::Abandoned | Before::AbandonedSent);
            let focus = (!at_first).then(|| Focus::at(MAKE));
            (Some(asking(tell, before)), group().with(focus).into_html())
        }
    };
    let panel = Panel { title: words::LIST, id: "recovery-codes", beside: number_left(codes) };
    group().with(panel.show(group().with(left(codes, now_ms)).with(ask))).with(below).into_html()
}

/// What making new ones means, and what became of those that were here.
fn asking(tell: Tell<Renewal>, before: Before) -> Element {
    let ask = Callback::from(move |()| tell.dispatch(Action::Asked));
    let said = match before {
        Before::Nothing => None,
        Before::Declined => Some((Tone::Plain, text::DECLINED)),
        Before::Abandoned => Some((Tone::Wait, text::ABANDONED)),
        Before::Renewed => Some((Tone::Held, text::RENEWED)),
        Before::Unsure | Before::AbandonedSent => Some((Tone::Wait, text::UNSURE)),
    };
    div("inset stack")
        .with(div("").attr("role", "status").with(said.map(|(tone, said)| notice(tone, said))))
        .with(p("").with(text::WHAT))
        .with(div("actions").with(button("btn", ask).attr("id", MAKE).with(text::MAKE)))
}

#[derive(Properties, PartialEq)]
struct NewCodesProps {
    api: Api,
    confirm: Confirm,
    me: Rc<Me>,
    on_session: Callback<session::Action>,
    standing: Standing,
    on_renewal: Callback<Action>,
}

/// The new codes, in sight until they are in force or declined; nothing of them outlives this.
#[component]
fn NewCodes(props: &NewCodesProps) -> Html {
    let email = &props.me.account.email;
    let handles = use_codes(email, replace(props));
    let made = clock::date(use_now(600_000));
    let standing = props.standing;
    // After the codes' own effect, which knows nothing of any that were sent before these.
    let at_stake = matches!(&*handles.codes, Codes::Shown(_));
    use_effect_of(at_stake, move |at_stake| at_stake.then(|| Renewal::Shown(standing).keep()));
    match &*handles.codes {
        Codes::Unable => notice(Tone::Broken, words::NO_RANDOMNESS),
        Codes::InForce => waiting(Some(words::KEEPING)),
        Codes::Shown(shown) => {
            let sheet = sheet(shown, &handles, email, made).attr("id", "new-codes").attr("tabindex", "-1");
            let decline = {
                let on_renewal = props.on_renewal.clone();
                let busy = shown.phase == state::Phase::Keeping;
                Callback::from(move |()| {
                    // What was sent may be in force already.
                    if !busy {
                        on_renewal.emit(Action::Declined);
                    }
                })
            };
            let way_back = div("actions").with(button("btn quiet", decline).with(text::KEEP_OLD));
            let said = match props.standing {
                Standing::Unsent | Standing::Sent => text::NOT_YET,
                Standing::Unsure => text::NOT_KNOWN,
            };
            let content: Group = group()
                .with(notice(Tone::Wait, said))
                .with(sheet)
                .with(type_back(shown, &handles))
                .with(way_back)
                .with(Focus::at("new-codes"));
            content.into_html()
        }
    }
}

/// Puts them in force in the place of the old ones, with a confirmation.
fn replace(props: &NewCodesProps) -> impl Fn(Vec<Bytes>, Tell<Codes>) + use<> {
    let (api, confirm, me) = (props.api.clone(), props.confirm.clone(), props.me.clone());
    let (on_session, on_renewal) = (props.on_session.clone(), props.on_renewal.clone());
    move |verifiers, tell| {
        let (api, confirm, me) = (api.clone(), confirm.clone(), me.clone());
        let (on_session, on_renewal) = (on_session.clone(), on_renewal.clone());
        on_renewal.emit(Action::Sent);
        spawn_local(async move {
            let regeneration =
                Regeneration { account: me.account.id.clone(), email: me.account.email.clone(), verifiers };
            let renewed = confirm.perform::<Regeneration, RecoveryCodesView>(regeneration, None, TYPED).await;
            let failure = match renewed {
                Ok(view) => {
                    came_in_force(&tell);
                    on_session.emit(session::Action::KeptCodes(view));
                    return on_renewal.emit(Action::CameInForce);
                }
                Err(Stopped::Left) => {
                    on_renewal.emit(Action::NothingDone);
                    return tell.dispatch(state::Action::WasLeft);
                }
                Err(Stopped::Failed(failure)) => failure,
            };
            // An answer may have been lost on its way: what is said next must be true.
            let now = api.call::<Me>(Call::get("/v1/me", Access::SignedIn)).await.ok();
            match now.filter(|now| now.recovery_codes != me.recovery_codes) {
                Some(now) => {
                    came_in_force(&tell);
                    on_session.emit(session::Action::Recognised(now.into()));
                    on_renewal.emit(Action::FoundAnotherList);
                }
                None => {
                    // Even where the old list is in force, a lost request may still arrive.
                    let lost = failure.may_pass();
                    on_renewal.emit(if lost { Action::AnswerLost } else { Action::NothingDone });
                    tell.dispatch(state::Action::CouldNotKeep(failure));
                }
            }
        });
    }
}
