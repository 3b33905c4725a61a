//! What a name and an address may be.

use crate::{
    problem::{Refusal, Result},
    wire::label,
};
use holdfast_protocol::{base64url::Bytes, characters::is_hidden, ids::AccountId, problem::Code};
use serde::{Deserialize, Serialize};

/// A name and an address, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Person {
    pub name: String,
    pub email: String,
    /// One spelling, so that an address belongs to one account.
    pub email_key: String,
}

/// An account between its ceremony's beginning and end.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct NewAccount {
    pub id: AccountId,
    pub user_handle: Bytes,
    pub person: Person,
}

impl Person {
    pub fn read(name: &str, email: &str) -> Result<Self> {
        let name = label(name, "A name")?;
        let email = email.trim().to_owned();
        if !is_address(&email) {
            let detail = "This does not look like an email address. It should be like mara@example.org.";
            return Err(Refusal::with_detail(Code::InvalidRequest, detail));
        }
        Ok(Self { name, email_key: email.to_lowercase(), email })
    }
}

/// Enough of RFC 5321 to catch slips; whether mail arrives, only mail can tell.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let visible = text.len() <= 254 && !text.chars().any(|c| c.is_whitespace() || is_hidden(c));
    let labels = domain
        .split('.')
        .all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-'));
    visible && (1..=64).contains(&local.len()) && !local.contains(['@', '<', '>', ',', ';', '"']) && labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_as_written_and_compared_in_one_spelling() {
        let person = Person::read(" Mara ", "Mara@Example.org").unwrap();
        assert_eq!((person.name.as_str(), person.email.as_str()), ("Mara", "Mara@Example.org"));
        assert_eq!(person.email_key, "mara@example.org");
    }

    #[test]
    fn slips_are_caught() {
        for bad in [
            "",
            "mara",
            "@example.org",
            "mara@",
            "a b@example.org",
            "mara@exa mple.org",
            "a@b..c",
            "a\u{202e}@b.c",
            "a@b\n.c",
            "<a@b.c>",
            &format!("{}@b.c", "x".repeat(65)),
        ] {
            assert!(Person::read("Mara", bad).is_err(), "{bad:?}");
        }
    }
}
