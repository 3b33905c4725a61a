use super::{
    Event,
    chain::{BEGINNING, Hash, Link},
    is_evidence_of,
};
use crate::db::{Tx, each, execute, row, rows};
use holdfast_protocol::{
    base64url::Bytes,
    history::{Activity, ActivityEvent, Device},
    ids::{AccountId, SessionId},
    step_up::{Evidence, Group},
};
use sqlx::FromRow;

/// A row, or nothing where it does not hold what it should, as after somebody has altered it: one such row must
/// neither hold up what is read beside it nor what is recorded after it.
struct Readable<T>(Option<T>);

impl<'r, R: sqlx::Row, T: FromRow<'r, R>> FromRow<'r, R> for Readable<T> {
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        Ok(Self(readable(T::from_row(row))))
    }
}

fn readable<T>(read: Result<T, sqlx::Error>) -> Option<T> {
    let altered =
        |error: &_| tracing::error!(%error, "an event of the audit trail is unreadable: run verify-log");
    read.inspect_err(altered).ok()
}

/// Takes the account's next number, so that events of one account rise with time on every instance, and
/// chains the event to the one before.
pub(super) async fn append(
    tx: &mut Tx,
    event: &Event<'_>,
    evidence: Option<&Evidence>,
) -> Result<(), sqlx::Error> {
    if !is_evidence_of(&event.what, evidence) {
        return Err(sqlx::Error::Encode("an event without its evidence, or with another's".into()));
    }
    let evidence = evidence.map(serde_json::to_string).transpose();
    let evidence = evidence.map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let account = event.account.as_str();
    let next: Option<(i64,)> = row!(
        tx,
        (i64,),
        "UPDATE accounts SET activity_count = activity_count + 1 WHERE id = $1 RETURNING activity_count",
        account
    )?;
    let (id,) = next.ok_or(sqlx::Error::RowNotFound)?;
    // A statement of its own: what a statement reads beside the row that it waited for is older than the wait.
    let before: Option<Readable<(Option<Vec<u8>>,)>> = row!(
        tx,
        Readable<(Option<Vec<u8>>,)>,
        "SELECT hash FROM activity WHERE account_id = $1 AND id = $2",
        account,
        id - 1
    )?;
    let before = before.and_then(|Readable(before)| Hash::try_from(before?.0?).ok()).unwrap_or(BEGINNING);
    let what = what(event)?;
    let browser = event.device.map(|device| device.browser.as_str());
    let system = event.device.map(|device| device.system.as_str());
    let session = event.session.map(|session| session.as_str());
    let step_up = match &event.what {
        Activity::StepUp { action, .. } => Some(action.group().as_str()),
        _ => None,
    };
    let link = Link {
        account: account.as_bytes(),
        id,
        at_ms: event.at_ms,
        what: what.as_bytes(),
        browser: browser.map(str::as_bytes),
        system: system.map(str::as_bytes),
        session: session.map(str::as_bytes),
        evidence: evidence.as_deref().map(str::as_bytes),
        step_up: step_up.map(str::as_bytes),
    };
    let hash = link.hash(&before);
    execute!(
        tx,
        "INSERT INTO activity (account_id, id, at_ms, what, browser, system, session_id, evidence,
                               step_up, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        account,
        id,
        event.at_ms,
        what,
        browser,
        system,
        session,
        evidence,
        step_up,
        hash.as_slice(),
    )?;
    Ok(())
}

/// Of two that hold the same account, as whoever records an event does, the second waits.
pub(super) async fn hold(tx: &mut Tx, account: &AccountId) -> Result<(), sqlx::Error> {
    execute!(tx, "UPDATE accounts SET activity_count = activity_count WHERE id = $1", account.as_str())?;
    Ok(())
}

/// What was recorded since then of the same session, or of none; among the account's newest events only, so
/// that looking costs the same however long the trail is.
pub(super) async fn recent(
    tx: &mut Tx,
    event: &Event<'_>,
    since_ms: i64,
) -> Result<Vec<Activity>, sqlx::Error> {
    let found = rows!(
        tx,
        Readable<(String,)>,
        "SELECT what FROM (SELECT what, session_id, at_ms FROM activity WHERE account_id = $1
                           ORDER BY id DESC LIMIT 1000) AS newest
         WHERE at_ms > $2 AND session_id IS NOT DISTINCT FROM $3",
        event.account.as_str(),
        since_ms,
        event.session.map(|session| session.as_str()),
    )?;
    Ok(found.into_iter().filter_map(|Readable(read)| serde_json::from_str(&read?.0).ok()).collect())
}

/// Whether the very same is among what [`recent`] looks at, and not from before that.
pub(super) async fn has(tx: &mut Tx, event: &Event<'_>, since_ms: i64) -> Result<bool, sqlx::Error> {
    let what = what(event)?;
    let found: Option<Readable<(i64,)>> = row!(
        tx,
        Readable<(i64,)>,
        "SELECT id FROM (SELECT id, what, session_id, at_ms FROM activity WHERE account_id = $1
                         ORDER BY id DESC LIMIT 1000) AS newest
         WHERE at_ms >= $2 AND session_id IS NOT DISTINCT FROM $3 AND what = $4 LIMIT 1",
        event.account.as_str(),
        since_ms,
        event.session.map(|session| session.as_str()),
        what,
    )?;
    Ok(found.is_some())
}

fn what(event: &Event<'_>) -> Result<String, sqlx::Error> {
    serde_json::to_string(&event.what).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

#[derive(FromRow)]
struct Row {
    id: i64,
    #[sqlx(flatten)]
    said: Readable<Said>,
}

#[derive(FromRow)]
struct Said {
    at_ms: i64,
    what: String,
    browser: Option<String>,
    system: Option<String>,
    session_id: Option<String>,
}

impl Said {
    fn read(self, id: i64) -> Result<ActivityEvent, sqlx::Error> {
        let session = self.session_id.as_deref().map(SessionId::parse).transpose();
        Ok(ActivityEvent {
            id,
            at_ms: u64::try_from(self.at_ms).unwrap_or_default(),
            what: serde_json::from_str(&self.what).map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
            device: self.browser.zip(self.system).map(|(browser, system)| Device { browser, system }),
            session: session.map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
        })
    }
}

/// So many events, or all: where some are unreadable it reads on from there, so that they hide nothing else. Those
/// whose number is none are left out by the statements: there would be no reading on from them.
struct Reading {
    most: usize,
    /// The number of the last that was read.
    from: i64,
    events: Vec<ActivityEvent>,
    is_done: bool,
}

impl Reading {
    fn begin(limit: u32, from: i64) -> Self {
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        Self { most, from, events: Vec::new(), is_done: false }
    }

    /// The next rows, as many as are wanted at most; fewer are the last.
    fn take(&mut self, found: Vec<Readable<Row>>) {
        let last = found.iter().rev().find_map(|Readable(row)| Some(row.as_ref()?.id));
        self.from = last.unwrap_or(self.from);
        self.is_done = last.is_none() || found.len() < self.most;
        self.events.extend(found.into_iter().filter_map(|Readable(row)| {
            let Row { id, said } = row?;
            readable(said.0?.read(id))
        }));
        self.is_done |= self.events.len() >= self.most;
        self.events.truncate(self.most);
    }
}

/// Events of an account older than `before`, the newest first.
pub(crate) async fn page(
    tx: &mut Tx,
    account: &AccountId,
    before: i64,
    limit: u32,
) -> Result<Vec<ActivityEvent>, sqlx::Error> {
    let mut reading = Reading::begin(limit, before);
    while !reading.is_done {
        reading.take(rows!(
            tx,
            Readable<Row>,
            "SELECT id, at_ms, what, browser, system, session_id FROM activity
             WHERE account_id = $1 AND id < $2
                 AND id = CAST(id AS BIGINT) ORDER BY id DESC LIMIT $3",
            account.as_str(),
            reading.from,
            i64::from(limit),
        )?);
    }
    Ok(reading.events)
}

/// Step-ups of an account older than `before`, the newest first; of one group, or of all.
pub(crate) async fn step_ups(
    tx: &mut Tx,
    account: &AccountId,
    group: Option<Group>,
    before: i64,
    limit: u32,
) -> Result<Vec<ActivityEvent>, sqlx::Error> {
    let (account, mut reading) = (account.as_str(), Reading::begin(limit, before));
    let limit = i64::from(limit);
    while !reading.is_done {
        reading.take(match group {
            None => rows!(
                tx,
                Readable<Row>,
                "SELECT id, at_ms, what, browser, system, session_id FROM activity
                 WHERE account_id = $1 AND step_up IS NOT NULL AND id < $2
                 AND id = CAST(id AS BIGINT) ORDER BY id DESC LIMIT $3",
                account,
                reading.from,
                limit,
            )?,
            Some(group) => rows!(
                tx,
                Readable<Row>,
                "SELECT id, at_ms, what, browser, system, session_id FROM activity
                 WHERE account_id = $1 AND step_up = $2 AND id < $3
                 AND id = CAST(id AS BIGINT) ORDER BY id DESC LIMIT $4",
                account,
                group.as_str(),
                reading.from,
                limit,
            )?,
        });
    }
    Ok(reading.events)
}

/// With which credential each confirmed step-up of an account was signed, from the oldest to the newest of these.
pub(crate) async fn signed_with(
    tx: &mut Tx,
    account: &AccountId,
    [oldest, newest]: [i64; 2],
) -> Result<Vec<(i64, Bytes)>, sqlx::Error> {
    let found = rows!(
        tx,
        Readable<(i64, String)>,
        "SELECT id, evidence FROM activity WHERE account_id = $1 AND id BETWEEN $2 AND $3
         AND step_up IS NOT NULL AND evidence IS NOT NULL",
        account.as_str(),
        oldest,
        newest,
    )?;
    let read = found.into_iter().filter_map(|Readable(read)| {
        let (id, evidence) = read?;
        match serde_json::from_str(&evidence).ok()? {
            Evidence::StepUp { credential_id, .. } => Some((id, credential_id)),
            Evidence::Registration { .. } => None,
        }
    });
    Ok(read.collect())
}

/// Events of an account newer than `after`, the oldest first. Numbers are given under a lock of the
/// account, so none appears later below one that was seen.
pub(crate) async fn since(
    tx: &mut Tx,
    account: &AccountId,
    after: i64,
    limit: u32,
) -> Result<Vec<ActivityEvent>, sqlx::Error> {
    let mut reading = Reading::begin(limit, after);
    while !reading.is_done {
        reading.take(rows!(
            tx,
            Readable<Row>,
            "SELECT id, at_ms, what, browser, system, session_id FROM activity
             WHERE account_id = $1 AND id > $2 AND id = CAST(id AS BIGINT) ORDER BY id LIMIT $3",
            account.as_str(),
            reading.from,
            i64::from(limit),
        )?);
    }
    Ok(reading.events)
}

/// The id of an account's newest event, 0 before the first.
pub(crate) async fn newest(tx: &mut Tx, account: &AccountId) -> Result<i64, sqlx::Error> {
    let found: Option<(i64,)> =
        row!(tx, (i64,), "SELECT activity_count FROM accounts WHERE id = $1", account.as_str())?;
    Ok(found.map_or(0, |(newest,)| newest))
}

/// The newest event of every account, with its hash.
pub(super) async fn heads(
    tx: &mut Tx,
    mut take: impl FnMut(String, i64, Vec<u8>),
) -> Result<(), sqlx::Error> {
    each!(
        tx,
        Readable<(String, i64, Vec<u8>)>,
        |Readable(read): Readable<(String, i64, Vec<u8>)>| {
            if let Some((account, id, hash)) = read {
                take(account, id, hash);
            }
        },
        "SELECT a.account_id, a.id, a.hash FROM accounts c
         JOIN activity a ON a.account_id = c.id AND a.id = c.activity_count WHERE a.hash IS NOT NULL",
    )
}
