//! Testing a passkey: its owner confirms with this very one that it works, and nothing else happens.

use super::store;
use crate::{
    elevation::{Asker, Elevated, Perform},
    problem::Result,
};
use holdfast_protocol::{passkeys::Test, problem::Code};

impl Perform for Test {
    async fn check(&self, by: &mut Asker<'_>) -> Result<()> {
        let name = store::enabled_name(by.tx, &by.session.account, &self.id).await?.ok_or(Code::NotFound)?;
        if name == self.name { Ok(()) } else { Err(Code::TargetChanged.into()) }
    }

    async fn perform(_elevated: &mut Elevated<'_, Self>) -> Result<()> {
        Ok(())
    }
}
