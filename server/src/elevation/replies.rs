//! Answers that got lost: who asks again with the same `Idempotency-Key` gets the same answer.

use super::store;
use crate::{
    db::Tx,
    problem::{Refusal, Result},
    secrets::{same, sha256},
    wire::single,
};
use axum::http::HeaderMap;
use holdfast_protocol::{
    ids::{AccountId, SessionId},
    problem::Code,
    step_up::Kind,
};

/// How long an answer is kept.
const LIVES_MS: i64 = 24 * 3600 * 1000;

/// The key that a request carries: 16 to 64 visible ASCII characters.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<&str>> {
    let Some(key) = single(headers, "idempotency-key")? else { return Ok(None) };
    if (16..=64).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(Some(key))
    } else {
        let detail = "`Idempotency-Key` has 16 to 64 visible ASCII characters. Nothing was done.";
        Err(Refusal::with_detail(Code::InvalidRequest, detail))
    }
}

/// The same, where it must be there.
pub(super) fn wanted_key(headers: &HeaderMap) -> Result<&str> {
    key(headers)?.ok_or_else(|| {
        let detail = "This wants an `Idempotency-Key`, so that it is done once however often it is asked for. \
                      Nothing was done.";
        Refusal::with_detail(Code::InvalidRequest, detail)
    })
}

/// What must be the same under one key: an answer is that session's which confirmed what it asked for.
pub(super) fn request_hash(kind: Kind, session: &SessionId, canonical: &str) -> [u8; 32] {
    sha256(format!("{kind}\n{session}\n{canonical}").as_bytes())
}

/// Takes the key for this transaction, or gives the answer that it has had. Of two that race the second
/// waits for the first.
pub(super) async fn claim(
    tx: &mut Tx,
    account: &AccountId,
    key: &str,
    request_hash: &[u8; 32],
    now_ms: i64,
) -> Result<Option<String>> {
    if store::claim(tx, account, key, request_hash, now_ms.saturating_add(LIVES_MS)).await? {
        return Ok(None);
    }
    let reply = store::reply(tx, account, key).await?.ok_or(Code::Unavailable)?;
    if !same(&reply.request_hash, request_hash) {
        return Err(Code::IdempotencyKeyReused.into());
    }
    Ok(Some(reply.answer.ok_or(Code::Unavailable)?))
}
