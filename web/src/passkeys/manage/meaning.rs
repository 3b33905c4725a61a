use super::text;
use holdfast_protocol::passkeys::{Backup, PasskeyView};
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

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
