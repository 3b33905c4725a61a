//! How a passkey is shown.

use super::store::Row;
use crate::{names, problem::Result};
use holdfast_protocol::{
    history::Device,
    ids::PasskeyId,
    passkeys::{Backup, PasskeyView, Trust},
    problem::Code,
};
use std::time::Duration;

/// Its other sessions are not counted here.
pub(super) fn view(row: Row, opened_by: &PasskeyId, now_ms: i64, cooldown: Duration) -> Result<PasskeyView> {
    let id = PasskeyId::parse(&row.id).map_err(|_| Code::Internal)?;
    let device = Device { browser: row.browser, system: row.system };
    let transports: Vec<String> =
        row.transports.split(',').filter(|text| !text.is_empty()).map(str::to_owned).collect();
    let backup = match (row.backup_eligible, row.backup_state) {
        (_, true) => Backup::Synced,
        (true, false) => Backup::NotYetSynced,
        (false, false) => Backup::DeviceBound,
    };
    let age_ms = now_ms.saturating_sub(row.created_at_ms);
    let is_new = u128::try_from(age_ms).is_ok_and(|age_ms| age_ms < cooldown.as_millis());
    let trust = if row.disabled_at_ms.is_some() {
        Trust::Disabled
    } else if row.suspect_at_ms.is_some() {
        Trust::Suspect
    } else if is_new {
        Trust::New
    } else {
        Trust::Trusted
    };
    let provider = names::provider(&row.aaguid);
    Ok(PasskeyView {
        opened_this_session: id == *opened_by,
        id,
        name: row.name,
        display_name: names::display_name(provider, backup, &transports, &device),
        provider: provider.map(str::to_owned),
        created_at_ms: u64::try_from(row.created_at_ms).unwrap_or_default(),
        last_used_at_ms: row.last_used_at_ms.and_then(|ms| u64::try_from(ms).ok()),
        backup,
        transports,
        trust,
        other_sessions: 0,
    })
}
