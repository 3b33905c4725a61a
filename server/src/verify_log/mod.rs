//! `holdfast verify-log`: judges the whole audit trail by itself, without the server, its secret or the table
//! of passkeys. [`Verifier`] is pure, bytes in and findings out; `store.rs` reads the rows, `command.rs` is
//! the command.

mod account;
mod command;
mod finding;
mod heads;
mod passkeys;
mod step_up;
mod store;

pub use command::{Arguments, Verdict, run, verify};
pub use finding::{Fault, Finding, Place};
pub use heads::Heads;
pub use store::{passkeys, rows};

use crate::{audit::chain::Link, secrets::Keyring};
use account::Account;
use holdfast_protocol::step_up::Kind;
use passkeys::Passkeys;
use std::collections::BTreeMap;

/// A row of the audit trail as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub account: Vec<u8>,
    pub id: i64,
    pub at_ms: i64,
    pub what: Vec<u8>,
    pub browser: Option<Vec<u8>>,
    pub system: Option<Vec<u8>>,
    pub session: Option<Vec<u8>>,
    pub evidence: Option<Vec<u8>>,
    pub step_up: Option<Vec<u8>>,
    pub hash: Option<Vec<u8>>,
    /// How many events the account says to have; `None`: there is no such account.
    pub count: Option<i64>,
    /// A column of text that SQLite holds as something else.
    pub not_text: Option<&'static str>,
}

impl Row {
    /// The row without its hash.
    pub fn link(&self) -> Link<'_> {
        Link {
            account: &self.account,
            id: self.id,
            at_ms: self.at_ms,
            what: &self.what,
            browser: self.browser.as_deref(),
            system: self.system.as_deref(),
            session: self.session.as_deref(),
            evidence: self.evidence.as_deref(),
            step_up: self.step_up.as_deref(),
        }
    }
}

/// A row of the table of passkeys, by which people sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyRow {
    pub account: Vec<u8>,
    pub id: Vec<u8>,
    pub credential_id: Vec<u8>,
    pub public_key: Vec<u8>,
    pub enabled: bool,
    /// A column of text that SQLite holds as something else.
    pub not_text: Option<&'static str>,
}

/// What a signature may say beside what its token says.
#[derive(Clone, Default)]
pub struct Rules {
    /// Where the secret is at hand, tokens must have been signed with it.
    pub keys: Option<Keyring>,
    /// Other origins that may use the same passkeys.
    pub related_origins: Vec<String>,
    /// Origins in whose frames a passkey may be used.
    pub embedding_origins: Vec<String>,
    /// The database may be from before there was a hash chain: an account's first events may have no hash, and
    /// come without evidence.
    pub allow_unchained: bool,
    /// Actions that the operator had switched the step-up off of.
    pub step_up_off: Vec<Kind>,
}

/// What was verified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    pub accounts: u64,
    pub events: u64,
    /// Confirmed step-ups whose every part is right.
    pub step_ups: u64,
    /// Actions that were done without a step-up, which nothing proves.
    pub unguarded: BTreeMap<Kind, u64>,
    /// Rows of the table of passkeys, held against their registrations.
    pub passkeys: u64,
    /// Signed heads that the trail was held against.
    pub heads: u64,
    /// Events that no signed head covers.
    pub uncovered: u64,
    /// Events from before there were hashes.
    pub unchained: u64,
    pub findings: u64,
}

/// Takes the rows of all accounts, those of one account together and by their number, then the rows of passkeys.
/// It keeps what later rows of the same account are judged by, and of every account its passkeys.
pub struct Verifier {
    rules: Rules,
    heads: Heads,
    account: Option<Account>,
    passkeys: Passkeys,
    summary: Summary,
}

impl Verifier {
    pub fn new(rules: Rules, heads: Heads) -> Self {
        Self { rules, heads, account: None, passkeys: Passkeys::default(), summary: Summary::default() }
    }

    /// Takes the next row, and says what is wrong with it or with what came before.
    pub fn take(&mut self, row: &Row) -> Vec<Finding> {
        let mut findings = match &self.account {
            Some(account) if account.is(&row.account) => Vec::new(),
            _ => self.end_account(),
        };
        let heads = &mut self.heads;
        let account = self.account.get_or_insert_with(|| Account::begin(&row.account, heads));
        account.take(row, &self.rules, &mut self.summary, &mut findings);
        self.count(findings)
    }

    /// An account that says to have events, and has none.
    pub fn take_empty(&mut self, account: &[u8], count: i64) -> Vec<Finding> {
        let mut findings = self.end_account();
        let mut empty = Account::begin(account, &mut self.heads);
        empty.says(Some(count));
        findings.extend(empty.end(&mut self.summary, &mut self.passkeys));
        self.count(findings)
    }

    /// A passkey, after the last row: whether the trail knows it as it is.
    pub fn take_passkey(&mut self, row: &PasskeyRow) -> Vec<Finding> {
        let mut findings = self.end_account();
        self.summary.passkeys += 1;
        findings.extend(self.passkeys.judge(row));
        self.count(findings)
    }

    /// After everything.
    pub fn finish(mut self) -> (Summary, Vec<Finding>) {
        let mut findings = self.end_account();
        findings.extend(self.heads.left());
        let findings = self.count(findings);
        (self.summary, findings)
    }

    fn end_account(&mut self) -> Vec<Finding> {
        let ended = self.account.take().map(|account| account.end(&mut self.summary, &mut self.passkeys));
        ended.unwrap_or_default()
    }

    fn count(&mut self, findings: Vec<Finding>) -> Vec<Finding> {
        self.summary.findings += u64::try_from(findings.len()).unwrap_or(u64::MAX);
        findings
    }
}
