use std::time::Duration;

use anyhow::Result;
use tokio::time::{sleep, timeout};

/// How long a condition may take to come true. Generous: a busy machine is not a failure.
pub const DEADLINE: Duration = Duration::from_secs(25);

/// The pause between two looks.
const INTERVAL: Duration = Duration::from_millis(30);

/// Looks again and again until `probe` answers with something, and gives that. `None` when
/// [`DEADLINE`] has passed; an error of the probe ends the wait at once.
pub async fn until<T>(probe: impl AsyncFnMut() -> Result<Option<T>>) -> Result<Option<T>> {
    until_within(DEADLINE, probe).await
}

/// [`until`] with a deadline of one's own. The look under way at the deadline is not cut short, so
/// that no command is left half done in a driver.
pub async fn until_within<T>(
    deadline: Duration,
    mut probe: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<Option<T>> {
    let expired = sleep(deadline);
    tokio::pin!(expired);
    loop {
        if let Some(found) = probe().await? {
            return Ok(Some(found));
        }
        if timeout(INTERVAL, &mut expired).await.is_ok() {
            return Ok(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn gives_what_was_found_at_the_first_look_that_finds_it() {
        let mut looks = 0;
        let found = until(async || {
            looks += 1;
            Ok((looks == 3).then_some("here"))
        })
        .await
        .unwrap();
        assert_eq!((found, looks), (Some("here"), 3));
    }

    #[tokio::test]
    async fn ends_at_the_deadline_and_at_an_error() {
        let nothing: Option<()> = until_within(Duration::from_millis(70), async || Ok(None)).await.unwrap();
        assert_eq!(nothing, None);
        until(async || Err::<Option<()>, _>(anyhow::anyhow!("broken"))).await.unwrap_err();
    }
}
