//! Who is signed in: read in one place, for every slice that answers with it.

mod store;

pub(crate) use store::{account, email, recovery_codes, role};

use crate::{
    access::Session,
    app::App,
    db::Tx,
    problem::Result,
    readiness::{self, readiness},
};
use holdfast_protocol::{
    account::{AccountView, Me, SessionBinding, SessionView, Signals, Tier},
    base64url::Bytes,
    ids::AccountId,
    problem::Code,
};

/// The account, this session, and what the Signal API is to tell the authenticator.
pub(crate) async fn read(app: &App, tx: &mut Tx, session: &Session) -> Result<Me> {
    let row = store::account(tx, &session.account).await?.ok_or(Code::SignedOut)?;
    let accepted = store::accepted_credentials(tx, &session.account).await?;
    let recovery_codes = store::recovery_codes(tx, &session.account).await?;
    let lives_ms = u64::try_from(app.config.lifetimes.session.as_millis()).unwrap_or(u64::MAX);
    let created_at_ms = wire_ms(session.created_at_ms);
    let role = row.role();
    Ok(Me {
        session: SessionView {
            id: session.id.clone(),
            device: session.device.clone(),
            created_at_ms,
            expires_at_ms: created_at_ms.saturating_add(lives_ms),
            binding: match &session.device_key {
                Some(device) if app.config.device_binding && device.shown_at_ms.is_some() => {
                    SessionBinding::Device
                }
                _ => SessionBinding::Browser,
            },
        },
        recovery_codes,
        passkey_readiness: readiness(&readiness::facts(tx, &session.account).await?, app.clock.unix_ms()),
        signals: Signals {
            rp_id: app.config.rp_id.clone(),
            user_id: Bytes(row.user_handle),
            name: row.email.clone(),
            display_name: row.name.clone(),
            accepted_credential_ids: accepted.into_iter().map(Bytes).collect(),
        },
        account: AccountView {
            id: AccountId::parse(&row.id).map_err(|_| Code::Internal)?,
            name: row.name,
            email: row.email,
            tier: Tier::WebLocked,
            role,
            created_at_ms: wire_ms(row.created_at_ms),
        },
    })
}

/// A time of the database on the wire.
pub(crate) fn wire_ms(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or_default()
}
