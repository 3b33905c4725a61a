use super::text;
use crate::{
    session::Here,
    ui::{
        Content as _, Element, Heading, Icon, classed, div, element, hidden, notice, p, picture, span, tag,
    },
    words::Tone,
};
use holdfast_pop::Kept;
use holdfast_protocol::account::{Me, SessionBinding};
use yew::prelude::Html;

/// Whether this page's own connection is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Live {
    Proven,
    NotProven,
}

/// One of the things that keep an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Protection {
    said: &'static str,
    standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    InPlace,
    Missing,
}

fn protections(me: &Me, live: Live) -> [Protection; 4] {
    let passkeys = me.signals.accepted_credential_ids.len();
    let codes = me.recovery_codes.as_ref().map_or(0, |codes| codes.left);
    let of = |here: bool, there: &'static str, missing: &'static str| Protection {
        said: if here { there } else { missing },
        standing: if here { Standing::InPlace } else { Standing::Missing },
    };
    [
        of(passkeys > 0, "A passkey opens it", "No passkey opens it"),
        of(codes > 0, "Recovery codes are in force", "No recovery code is left"),
        of(live == Live::Proven, "This connection is proven", "This connection is not proven yet"),
        of(passkeys > 1, "A second passkey is ready", "No second passkey yet"),
    ]
}

/// How the account stands, for somebody who looks for four seconds.
pub fn summary(here: &Here, live: Live) -> Html {
    let protections = protections(&here.me, live);
    let rows = protections.iter().map(|protection| match protection.standing {
        Standing::InPlace => classed("li", "in-place").with(picture(Icon::Check)).with(protection.said),
        Standing::Missing => element("li").with(hidden(span("gap"))).with(protection.said),
    });
    let device = (here.me.session.binding == SessionBinding::Device).then_some(text::DEVICE_BOUND);
    let words = div("lock-words")
        .with(tag(Tone::Held, text::TIER))
        .with(Heading { text: text::LOCKED_TITLE, tab: text::SECURITY_TAB }.show())
        .with(p("muted").with(text::LOCKED_BODY).with(device))
        .with(classed("ul", "protections").attr("role", "list").with_each(rows))
        .with((here.kept == Kept::MemoryOnly).then(|| notice(Tone::Wait, text::MEMORY_ONLY)));
    classed("section", "card lock")
        .attr("aria-labelledby", Heading::ID)
        .with(ring(&protections))
        .with(words)
        .into_html()
}

/// A quarter of the ring for each.
fn ring(protections: &[Protection; 4]) -> Element {
    let in_place = protections.iter().filter(|each| each.standing == Standing::InPlace).count();
    let places = ["rotate(-85 52 52)", "rotate(5 52 52)", "rotate(95 52 52)", "rotate(185 52 52)"];
    let quarters = protections.iter().zip(places).map(|(protection, transform)| {
        let class = if protection.standing == Standing::InPlace { "quarter in-place" } else { "quarter" };
        classed("circle", class)
            .attr("cx", "52")
            .attr("cy", "52")
            .attr("r", "44")
            .attr("stroke-dasharray", "59 217.5")
            .attr("transform", transform)
    });
    let shield = "M52 30c8 5 14 6 20 6 0 18-6 31-20 38-14-7-20-20-20-38 6 0 12-1 20-6Z";
    classed("svg", "ring")
        .attr("viewBox", "0 0 104 104")
        .attr("role", "img")
        .attr("aria-label", text::ring(in_place))
        .with_each(quarters)
        .with(classed("path", "shield").attr("d", shield))
        .with(classed("path", "tick").attr("d", "m43 52 7 7 12-14"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn in_place(me: &Me, live: Live) -> [bool; 4] {
        protections(me, live).map(|each| each.standing == Standing::InPlace)
    }

    #[test]
    fn the_ring_tells_what_is_in_place() {
        let mut me = sample::me();
        assert_eq!(in_place(&me, Live::Proven), [true, true, true, false]);
        assert_eq!(in_place(&me, Live::NotProven), [true, true, false, false]);
        me.recovery_codes = Some(sample::codes_left(0));
        me.signals.accepted_credential_ids.push(holdfast_protocol::base64url::Bytes(vec![9]));
        assert_eq!(in_place(&me, Live::Proven), [true, false, true, true]);
    }
}
