use super::{Fault, Finding, PasskeyRow, Place, step_up::Passkey};
use std::collections::{HashMap, HashSet};

/// Every passkey of which the trail tells, whatever the account.
#[derive(Default)]
pub(super) struct Passkeys {
    /// By credential id.
    registered: HashMap<Vec<u8>, Registered>,
    /// Accounts, and ids of their passkeys that were added before events came with evidence.
    older: HashSet<[Vec<u8>; 2]>,
}

struct Registered {
    account: Vec<u8>,
    passkey: Passkey,
}

impl Passkeys {
    /// Of an account whose trail has ended.
    pub(super) fn keep(&mut self, account: &[u8], passkeys: HashMap<Vec<u8>, Passkey>) {
        for (credential_id, passkey) in passkeys {
            let registered = || Registered { account: account.to_vec(), passkey };
            self.registered.entry(credential_id).or_insert_with(registered);
        }
    }

    pub(super) fn keep_older(&mut self, account: &[u8], id: &str) {
        self.older.insert([account.to_vec(), id.as_bytes().to_vec()]);
    }

    /// Whoever can write the table could sign in with a key of their own.
    pub(super) fn judge(&self, row: &PasskeyRow) -> Option<Finding> {
        let fault = match self.registered.get(&row.credential_id) {
            _ if let Some(column) = row.not_text => Fault::Unreadable { column },
            None if self.older.contains(&[row.account.clone(), row.id.clone()]) => return None,
            None => Fault::NeverRegistered,
            Some(Registered { account, passkey }) => {
                if *account != row.account || passkey.id.as_str().as_bytes() != row.id {
                    Fault::NeverRegistered
                } else if passkey.public_key != row.public_key {
                    Fault::KeySwapped
                } else if passkey.removed && row.enabled {
                    Fault::EnabledAgain
                } else {
                    return None;
                }
            }
        };
        let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
        Some(Finding { place: Place::Passkey { account: text(&row.account), passkey: text(&row.id) }, fault })
    }
}
