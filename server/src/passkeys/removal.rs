//! Removing a passkey: it stays in the trail, and can never sign in again.

use super::store;
use crate::{
    elevation::{Asker, Elevated, Perform},
    mail::{self, Notice},
    problem::Result,
};
use holdfast_protocol::{history::Activity, passkeys::Removal, problem::Code};

impl Perform for Removal {
    async fn check(&self, by: &mut Asker<'_>) -> Result<()> {
        let account = &by.session.account;
        let name = store::enabled_name(by.tx, account, &self.id).await?.ok_or(Code::NotFound)?;
        if name != self.name {
            return Err(Code::TargetChanged.into());
        }
        // Every account is Web Locked so far: without a passkey nobody could sign in.
        if store::count_enabled(by.tx, account).await? <= 1 {
            return Err(Code::LastPasskey.into());
        }
        Ok(())
    }

    async fn perform(elevated: &mut Elevated<'_, Self>) -> Result<()> {
        let Elevated { by, parameters, .. } = elevated;
        if !store::disable(by.tx, &by.session.account, &parameters.id, by.now_ms).await? {
            return Err(Code::NotFound.into());
        }
        let Removal { id, name } = parameters.clone();
        let notice = Notice::PasskeyRemoved { name: &name, device: &by.session.device };
        mail::post(by.app, by.tx, &by.session.account, &notice, by.now_ms).await?;
        by.record(Activity::PasskeyRemoved { passkey: id, name }).await
    }
}
