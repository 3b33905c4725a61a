//! What an account that is held back is told, and for how long.

use crate::store::use_effect_of;
use crate::{
    api::{Access, Api, Call},
    clock, session, text,
    ui::{Content as _, Icon, div, element, group, p, picture, span, use_now},
};
use holdfast_protocol::{
    account::Me,
    step_up::{Readiness, ReadinessState},
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::{Callback, Html, Properties, component};

#[derive(Properties, PartialEq)]
pub struct HoldProps {
    pub api: Api,
    pub readiness: Readiness,
    pub on_session: Callback<session::Action>,
}

/// A line above everything else while the account may not do all that it otherwise may.
#[component]
pub fn Hold(props: &HoldProps) -> Html {
    let Readiness { state, until_ms } = props.readiness;
    let now_ms = use_now(1_000);
    let left_ms = until_ms.map(|until_ms| until_ms.saturating_sub(now_ms));
    {
        let (api, on_session) = (props.api.clone(), props.on_session.clone());
        use_effect_of((left_ms == Some(0), until_ms), move |(over, _)| {
            if *over {
                look_again(api, on_session);
            }
        });
    }
    let Some((what, way_on)) = words(state) else { return Html::default() };
    let until = until_ms.zip(left_ms.filter(|left_ms| *left_ms > 0)).map(|(until_ms, left_ms)| {
        // Read aloud each second it would drown everything else: who wants to know looks.
        let timer = element("time")
            .attr("role", "timer")
            .attr("datetime", clock::iso(until_ms))
            .attr("title", clock::date_time(until_ms))
            .with(text::left(left_ms));
        group().with(" Still ").with(timer).with(".")
    });
    let said = div("alert-words")
        .with(p("").with(element("strong").with(what)).with(until))
        .with(p("").with(way_on));
    div("alert wait")
        .attr("role", "note")
        .with(span("alert-icon").with(picture(Icon::Warning)))
        .with(said)
        .into_html()
}

/// Its time is over; whether that has ended it is the server's to say.
fn look_again(api: Api, on_session: Callback<session::Action>) {
    spawn_local(async move {
        // Where it does not answer, whatever is tried next will tell.
        if let Ok(me) = api.call::<Me>(Call::get("/v1/me", Access::SignedIn)).await {
            on_session.emit(session::Action::Recognised(me.into()));
        }
    });
}

/// What holds it back, and what can be done about it; `None`: nothing does.
const fn words(state: ReadinessState) -> Option<(&'static str, &'static str)> {
    Some(match state {
        ReadinessState::Ready => return None,
        ReadinessState::NoPasskey => (
            "No passkey of this account works any more.",
            "Nothing that wants a confirmation can be done from here.",
        ),
        ReadinessState::RiskHold => (
            "This account was never used from here before.",
            "Until then nothing that gives power is done. Revoking agents, deleting credentials and ending sessions still work.",
        ),
        ReadinessState::Cooldown => (
            "This account is in a cooldown.",
            "Something about it has changed that a thief would change, too, so until then nothing that gives power is done. Revoking agents, deleting credentials and ending sessions still work.",
        ),
        ReadinessState::RecoveryPending => (
            "A recovery of this account by email is under way.",
            "While it is, nothing that gives power is done. If nobody of yours has asked for it, tell whoever runs this console at once. Revoking agents, deleting credentials and ending sessions still work.",
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_held_back_is_told_why_and_what_still_works() {
        assert_eq!(words(ReadinessState::Ready), None);
        for state in [ReadinessState::RiskHold, ReadinessState::Cooldown, ReadinessState::RecoveryPending] {
            let (what, way_on) = words(state).unwrap();
            assert!(what.ends_with('.'), "{what}");
            assert!(way_on.contains("Revoking agents") && way_on.ends_with("still work."), "{way_on}");
        }
    }
}
