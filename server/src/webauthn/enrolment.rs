//! How a passkey comes to an account: stored, recorded with the key that its signatures are verified with, and
//! told to its owner by mail, in one transaction.

use super::store::{self, NewPasskey};
use crate::{
    app::App,
    audit::{self, Event},
    db::{Tx, is_duplicate},
    mail::{self, Notice},
    names,
    problem::{Refusal, Result},
};
use holdfast_protocol::{
    base64url::Bytes,
    history::{Activity, Device},
    ids::{AccountId, PasskeyId, SessionId},
    problem::Code,
    step_up::Evidence,
};
use holdfast_relying_party::RegisteredCredential;

/// A verified credential, and whose it becomes.
pub(crate) struct Enrolment<'a> {
    pub account: &'a AccountId,
    pub credential: &'a RegisteredCredential,
    pub transports: &'a [String],
    pub device: &'a Device,
    /// The session that enrols it; none: it opens one.
    pub session: Option<&'a SessionId>,
    pub now_ms: i64,
}

/// What has become of it.
pub(crate) struct Enrolled {
    pub id: PasskeyId,
    pub name: String,
}

pub(crate) async fn enrol(app: &App, tx: &mut Tx, new: &Enrolment<'_>) -> Result<Enrolled> {
    let id = PasskeyId::make(app.entropy.make());
    let name = names::first_name(names::provider(&new.credential.aaguid), new.device);
    let row = NewPasskey {
        id: &id,
        account: new.account,
        credential: new.credential,
        transports: new.transports,
        name: &name,
        device: new.device,
        now_ms: new.now_ms,
    };
    store::insert(tx, &row).await.map_err(|error| {
        if is_duplicate(&error) { Code::AlreadyRegistered.into() } else { Refusal::from(error) }
    })?;
    let event = Event {
        account: new.account,
        what: Activity::PasskeyAdded { passkey: id.clone(), name: name.clone() },
        device: Some(new.device),
        session: new.session,
        at_ms: new.now_ms,
    };
    let evidence = Evidence::Registration {
        credential_id: Bytes(new.credential.id.clone()),
        public_key: Bytes(new.credential.public_key.clone()),
        backup_eligible: new.credential.backup_eligible,
    };
    audit::record_with(tx, event, &evidence).await?;
    let notice = Notice::PasskeyAdded { name: &name, device: new.device };
    mail::post(app, tx, new.account, &notice, new.now_ms).await?;
    Ok(Enrolled { id, name })
}
