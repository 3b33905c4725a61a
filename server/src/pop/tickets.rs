//! Tickets: connection, nonce and key are fixed when one is minted.

use super::{
    rules::{MAX_PER_SESSION, Minted, asked_for},
    store,
};
use crate::{
    access::{self, Session},
    app::{App, stored},
    db::Tx,
    problem::{Refusal, Result},
};
use holdfast_protocol::{
    connections::{Ticket, TicketRequest},
    dpop::PublicKey,
    ids::{ConnectionId, SessionId},
    problem::{Code, StepUpReason},
};
use std::time::Duration;

/// A ticket never lives longer, whatever is configured.
const LIVES_AT_MOST: Duration = Duration::from_secs(60);

/// A ticket for a session that has proven this key.
pub(crate) async fn mint(
    app: &App,
    session: &Session,
    key: PublicKey,
    request: TicketRequest,
) -> Result<Ticket> {
    let stream = asked_for(&request, &app.streams)?;
    let lives = app.config.lifetimes.ticket.min(LIVES_AT_MOST);
    let now_ms = app.clock.unix_ms();
    let (connection, ticket) = (ConnectionId::make(app.entropy.make()), app.entropy.make_text());
    let minted = Minted {
        session: session.id.clone(),
        connection: connection.clone(),
        stream: stream.path.as_ref().to_owned(),
        client_nonce: request.client_nonce,
        key,
        expires_at_ms: now_ms.saturating_add(i64::try_from(lives.as_millis()).unwrap_or_default()),
    };
    let mut tx = access::write_as(app, session).await?;
    if let Some(action) = stream.after
        && !store::take_grant(&mut tx, &session.id, &stream.path, now_ms).await?
    {
        return Err(Refusal::step_up(StepUpReason::Token, action.preflight()));
    }
    let held = app.registry.count(&session.account, &session.id);
    if held + store::outstanding(&mut tx, &session.id, now_ms).await? >= MAX_PER_SESSION {
        return Err(too_many());
    }
    store::insert(&mut tx, &stored(&ticket), &minted).await?;
    tx.commit(&app.live).await?;
    Ok(Ticket { connection, ticket, expires_in_s: u32::try_from(lives.as_secs()).unwrap_or_default() })
}

/// How long a ticket may be asked for after the action that it needs.
const GRANTED_FOR_MS: i64 = 60_000;

/// The action that a stream needs was carried out: the session may ask for one ticket.
pub(crate) async fn grant(
    tx: &mut Tx,
    session: &SessionId,
    stream: &str,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    store::grant(tx, session, stream, now_ms.saturating_add(GRANTED_FOR_MS)).await
}

/// The session holds as many connections as it may.
pub(super) fn too_many() -> Refusal {
    Refusal::retry_after(Code::TooManyConnections, 5)
}
