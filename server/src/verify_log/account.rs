use super::{
    Fault, Finding, Place, Row, Rules, Summary,
    heads::{Heads, Signed, missing},
    passkeys::Passkeys,
    step_up::{Confirmed, Passkey},
};
use crate::audit::{
    chain::{BEGINNING, Hash},
    is_evidence_of,
};
use holdfast_protocol::{
    history::Activity,
    ids::{AccountId, CeremonyId, PasskeyId, SessionId},
    step_up::{Evidence, Kind, Outcome},
};
use holdfast_relying_party::{AssertionResponse, ReadyKey};
use std::collections::{HashMap, HashSet, hash_map::Entry};

/// The trail of one account, as far as it was read.
pub(super) struct Account {
    id: Vec<u8>,
    /// The number that comes next.
    next: i64,
    /// How many rows there were.
    rows: i64,
    previous: Previous,
    /// What the account itself says.
    says: Option<i64>,
    /// By credential id.
    passkeys: HashMap<Vec<u8>, Passkey>,
    /// Added before events came with evidence.
    older: Vec<PasskeyId>,
    /// Those that may still bring a further passkey.
    additions: Vec<Addition>,
    /// The passkey that was removed just now, before the step-up of that removal, which it may have confirmed.
    removing: Option<PasskeyId>,
    ceremonies: HashSet<CeremonyId>,
    nonces: HashSet<Vec<u8>>,
    heads: Signed,
    newest_head: i64,
}

/// A step-up for a further passkey, which has not come yet.
struct Addition {
    session: SessionId,
    until_ms: i64,
}

/// A further passkey is registered within the five minutes of a ceremony. The sixth is for what waits between
/// two looks at the clock, and for clocks that are apart.
const ADDED_WITHIN_MS: i64 = 360_000;

/// What the next row's hash is made over.
enum Previous {
    /// No row had a hash so far.
    Unchained,
    /// The hash that the row before has, and the one that it should have: where the two differ that row has
    /// been found already, and not this one.
    Hashes([Hash; 2]),
    /// The row before is missing, or has no hash; it has been found already.
    Unknown,
}

/// The parts of a row, once each is what it should be.
struct Event {
    what: Activity,
    session: Option<SessionId>,
    evidence: Option<Evidence>,
}

impl Account {
    pub(super) fn begin(id: &[u8], heads: &mut Heads) -> Self {
        let heads = heads.take(id);
        Self {
            id: id.to_vec(),
            next: 1,
            rows: 0,
            previous: Previous::Unchained,
            says: None,
            passkeys: HashMap::new(),
            older: Vec::new(),
            additions: Vec::new(),
            removing: None,
            ceremonies: HashSet::new(),
            nonces: HashSet::new(),
            newest_head: heads.keys().next_back().copied().unwrap_or_default(),
            heads,
        }
    }

    pub(super) fn is(&self, id: &[u8]) -> bool {
        self.id == id
    }

    pub(super) fn says(&mut self, count: Option<i64>) {
        self.says = count;
    }

    pub(super) fn take(&mut self, row: &Row, rules: &Rules, summary: &mut Summary, found: &mut Vec<Finding>) {
        let mut note = |fault| {
            let account = row.account.escape_ascii().to_string();
            found.push(Finding { place: Place::Event { account, event: row.id }, fault });
        };
        self.says = row.count;
        self.rows += 1;
        summary.events += 1;
        summary.uncovered += u64::from(row.id > self.newest_head);
        if row.id < self.next {
            // Whatever else is wrong with it, it does not belong here.
            return note(Fault::OutOfOrder);
        }
        if row.id > self.next {
            note(Fault::Missing { from: self.next });
            self.previous = Previous::Unknown;
        }
        self.next = row.id.saturating_add(1);
        self.chain(row, rules, summary).into_iter().for_each(&mut note);
        for (hash, signed) in self.heads.remove(&row.id).unwrap_or_default() {
            summary.heads += 1;
            if row.hash.as_deref() != Some(hash.as_slice()) {
                note(Fault::HeadDiffers { signed });
            }
        }
        match read(row) {
            Ok(event) => {
                if let Err(fault) = self.judge(row, event, rules, summary) {
                    note(fault);
                }
            }
            Err(column) => note(Fault::Unreadable { column }),
        }
    }

    /// After the last row.
    pub(super) fn end(self, summary: &mut Summary, passkeys: &mut Passkeys) -> Vec<Finding> {
        summary.accounts += 1;
        passkeys.keep(&self.id, self.passkeys);
        self.older.iter().for_each(|id| passkeys.keep_older(&self.id, id.as_str()));
        let place = Place::Account { account: self.id.escape_ascii().to_string() };
        let fault = match self.says {
            None => Some(Fault::NoAccount),
            Some(says) => {
                (says != self.rows || says != self.next - 1).then_some(Fault::Count { says, has: self.rows })
            }
        };
        let count = fault.map(|fault| Finding { place, fault });
        count.into_iter().chain(missing(&self.id, self.heads)).collect()
    }

    /// Holds the row against its hash.
    fn chain(&mut self, row: &Row, rules: &Rules, summary: &mut Summary) -> Option<Fault> {
        let Some(stored) = row.hash.as_deref() else {
            if matches!(self.previous, Previous::Unchained) {
                summary.unchained += 1;
                return (!rules.allow_unchained).then_some(Fault::NeverChained);
            }
            self.previous = Previous::Unknown;
            return Some(Fault::Unchained);
        };
        let Ok(stored) = Hash::try_from(stored) else {
            self.previous = Previous::Unknown;
            return Some(Fault::Altered);
        };
        let [previous, or] = match self.previous {
            Previous::Unchained => [BEGINNING; 2],
            Previous::Hashes(both) => both,
            Previous::Unknown => {
                self.previous = Previous::Hashes([stored; 2]);
                return None;
            }
        };
        let hash = row.link().hash(&previous);
        if hash == stored || (or != previous && row.link().hash(&or) == stored) {
            self.previous = Previous::Hashes([stored; 2]);
            return None;
        }
        self.previous = Previous::Hashes([stored, hash]);
        Some(Fault::Altered)
    }

    /// Judges what the row says, and remembers what later ones are judged by.
    fn judge(&mut self, row: &Row, event: Event, rules: &Rules, summary: &mut Summary) -> Result<(), Fault> {
        let Event { what, session, evidence } = event;
        // The server records both in one transaction, and between them at most that a passkey counted backwards.
        let removing = self.removing.take();
        // By the time of whatever comes in between, too: one that was never finished is no pass for a row with an
        // earlier time.
        self.additions.retain(|addition| row.at_ms < addition.until_ms);
        let is_older = matches!(self.previous, Previous::Unchained)
            && matches!((&what, &evidence), (Activity::PasskeyAdded { .. }, None));
        if !is_older && !is_evidence_of(&what, evidence.as_ref()) {
            return Err(Fault::Evidence);
        }
        match &what {
            Activity::PasskeySuspect { .. } => self.removing.clone_from(&removing),
            Activity::PasskeyAdded { .. } if !self.passkeys.is_empty() || !self.older.is_empty() => {
                self.use_addition(session.as_ref())?;
            }
            Activity::StepUp { action, outcome: Outcome::Unguarded, .. } => {
                *summary.unguarded.entry(*action).or_default() += 1;
                if !rules.step_up_off.contains(action) {
                    return Err(Fault::Unguarded);
                }
                self.note_addition(*action, session.as_ref(), row.at_ms);
            }
            _ => {}
        }
        match (what, evidence) {
            (
                Activity::PasskeyAdded { passkey, .. },
                Some(Evidence::Registration { credential_id, public_key, backup_eligible }),
            ) => {
                let (key, public_key) = (ReadyKey::read(&public_key.0), public_key.0);
                let new = Passkey { id: passkey, public_key, key, backup_eligible, removed: false };
                match self.passkeys.entry(credential_id.0) {
                    Entry::Vacant(place) => drop(place.insert(new)),
                    Entry::Occupied(_) => return Err(Fault::RegisteredTwice),
                }
            }
            (Activity::PasskeyAdded { passkey, .. }, _) => self.older.push(passkey),
            (Activity::PasskeyRemoved { passkey, .. }, _) => {
                let removed = self.passkeys.values_mut().filter(|known| known.id == passkey);
                removed.for_each(|known| known.removed = true);
                self.removing = Some(passkey);
            }
            (
                Activity::StepUp { action, outcome: Outcome::Confirmed, sentence, .. },
                Some(Evidence::StepUp {
                    parameters,
                    token,
                    credential_id,
                    client_data_json,
                    authenticator_data,
                    signature,
                }),
            ) => {
                let confirmed = Confirmed {
                    account: &row.account,
                    session: session.as_ref(),
                    at_ms: row.at_ms,
                    action,
                    sentence: &sentence,
                    parameters: &parameters,
                    token: &token,
                    response: AssertionResponse {
                        credential_id: &credential_id.0,
                        client_data_json: &client_data_json.0,
                        authenticator_data: &authenticator_data.0,
                        signature: &signature.0,
                        user_handle: None,
                    },
                };
                let passkey = self.passkeys.get(&credential_id.0);
                let claims = confirmed.verify(passkey, removing.as_ref(), rules)?;
                let is_first = self.ceremonies.insert(claims.ceremony);
                if !self.nonces.insert(claims.nonce.0) || !is_first {
                    return Err(Fault::UsedTwice);
                }
                summary.step_ups += 1;
                self.note_addition(action, session.as_ref(), row.at_ms);
            }
            _ => {}
        }
        Ok(())
    }

    fn note_addition(&mut self, action: Kind, session: Option<&SessionId>, at_ms: i64) {
        if let (Kind::PasskeyRegisterAdditional, Some(session)) = (action, session) {
            let until_ms = at_ms.saturating_add(ADDED_WITHIN_MS);
            self.additions.push(Addition { session: session.clone(), until_ms });
        }
    }

    /// A step-up brings one passkey, to the session that confirmed it.
    fn use_addition(&mut self, session: Option<&SessionId>) -> Result<(), Fault> {
        let its_own = self.additions.iter().position(|addition| Some(&addition.session) == session);
        self.additions.remove(its_own.ok_or(Fault::Unconfirmed)?);
        Ok(())
    }
}

/// Reads what the columns hold, or names the one that does not hold what it should.
fn read(row: &Row) -> Result<Event, &'static str> {
    fn text(column: &[u8]) -> Option<&str> {
        std::str::from_utf8(column).ok()
    }
    row.not_text.map_or(Ok(()), Err)?;
    text(&row.account).and_then(|id| AccountId::parse(id).ok()).ok_or("account_id")?;
    u64::try_from(row.at_ms).map_err(|_| "at_ms")?;
    let what: Activity = serde_json::from_slice(&row.what).map_err(|_| "what")?;
    let session = row.session.as_deref().map(|id| text(id).and_then(|id| SessionId::parse(id).ok()));
    let session = session.map(|session| session.ok_or("session_id")).transpose()?;
    let evidence = row.evidence.as_deref().map(serde_json::from_slice).transpose();
    let evidence = evidence.map_err(|_| "evidence")?;
    if row.browser.is_some() != row.system.is_some() {
        return Err("system");
    }
    for (column, name) in [(&row.browser, "browser"), (&row.system, "system")] {
        column.as_deref().map_or(Some(""), text).ok_or(name)?;
    }
    let group = match &what {
        Activity::StepUp { action, .. } => Some(action.group().as_str().as_bytes()),
        _ => None,
    };
    if row.step_up.as_deref() != group {
        return Err("step_up");
    }
    Ok(Event { what, session, evidence })
}
