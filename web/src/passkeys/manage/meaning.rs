use super::text;
use holdfast_protocol::passkeys::{Backup, PasskeyView, Trust};
use std::borrow::Cow;

/// What removing a passkey means for its owner, said before; `in_use` counts it too.
pub(super) fn of_removing(view: &PasskeyView, in_use: usize) -> Vec<Cow<'static, str>> {
    let mut means = vec![Cow::Borrowed(text::FOR_GOOD)];
    means.push(match (view.backup, &view.provider) {
        (Backup::DeviceBound, _) => text::STAYS_ON_ITS_DEVICE.into(),
        (Backup::Synced | Backup::NotYetSynced, Some(provider)) => text::copies_stay(provider).into(),
        (Backup::Synced | Backup::NotYetSynced, None) => text::COPIES_STAY.into(),
    });
    if in_use == 2 {
        means.push(text::ONE_IS_LEFT.into());
    }
    if view.opened_this_session {
        means.push(text::YOU_STAY.into());
    }
    if view.other_sessions > 0 {
        means.push(text::sessions_go_on(view.other_sessions).into());
    }
    means
}

/// The one provider that keeps every passkey in use, where there are several: with its account all of them are lost.
/// Of those that are bound to a device nobody can tell whether they are on the same one.
pub(super) fn kept_by_one(list: &[PasskeyView]) -> Option<&str> {
    let mut in_use = list.iter().filter(|view| view.trust != Trust::Disabled);
    let provider = kept_by(in_use.next()?)?;
    let others: Vec<_> = in_use.map(kept_by).collect();
    (!others.is_empty() && others.iter().all(|other| *other == Some(provider))).then_some(provider)
}

/// Whose copies it has.
fn kept_by(view: &PasskeyView) -> Option<&str> {
    view.provider.as_deref().filter(|_| view.backup != Backup::DeviceBound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn two_passkeys_of_one_provider_are_one_way_in() {
        let kept = |byte, provider: Option<&str>, backup| PasskeyView {
            provider: provider.map(str::to_owned),
            backup,
            ..sample::passkey(byte)
        };
        let one = kept(1, Some("Keepsake"), Backup::Synced);
        let same = kept(2, Some("Keepsake"), Backup::NotYetSynced);
        assert_eq!(kept_by_one(&[one.clone(), same.clone()]), Some("Keepsake"));
        assert_eq!(kept_by_one(std::slice::from_ref(&one)), None, "one passkey has its own words");
        for other in [
            kept(2, Some("Another"), Backup::Synced),
            kept(2, None, Backup::Synced),
            kept(2, Some("Keepsake"), Backup::DeviceBound),
        ] {
            assert_eq!(kept_by_one(&[one.clone(), same.clone(), other.clone()]), None, "{other:?}");
            let removed = PasskeyView { trust: Trust::Disabled, ..other };
            assert_eq!(kept_by_one(&[removed, one.clone(), same.clone()]), Some("Keepsake"));
        }
    }

    #[test]
    fn what_stays_behind_is_said_before() {
        let mut view = sample::passkey(1);
        view.opened_this_session = false;
        assert_eq!(of_removing(&view, 3), [text::FOR_GOOD, text::STAYS_ON_ITS_DEVICE]);
        view.backup = Backup::Synced;
        view.provider = Some("Keepsake".to_owned());
        view.opened_this_session = true;
        view.other_sessions = 2;
        let means = of_removing(&view, 2);
        assert_eq!(means.len(), 5);
        assert!(means[1].contains("Keepsake"), "{means:?}");
        assert_eq!((&means[2], &means[3]), (&text::ONE_IS_LEFT.into(), &text::YOU_STAY.into()));
        assert!(means[4].contains("2 other sessions"), "{means:?}");
    }
}
