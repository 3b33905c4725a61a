use crate::{
    browser::{function, run},
    task::Settled,
};
use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast as _, JsValue, prelude::wasm_bindgen};

#[wasm_bindgen(module = "/src/browser.js")]
extern "C" {
    #[wasm_bindgen(js_name = acquireLock)]
    fn acquire_lock(name: &str, patience_ms: u32) -> Promise;
    #[wasm_bindgen(js_name = waitForLock)]
    fn wait_for_lock(name: &str, steal: bool, tell: &Function) -> Option<Function>;
}

/// A Web Lock: one tab of this origin at a time. Released when dropped.
pub struct Lock(Option<Function>);

/// What happens to who waits for a lock.
pub(crate) enum Waited {
    Granted(Lock),
    /// Somebody has taken it, or nobody may wait.
    Lost,
}

impl Lock {
    /// Around every change of the stored key, so that what one tab stores and what it tells the others
    /// stay in one order. Without it a single transaction is atomic anyway.
    pub(crate) fn of_the_key() -> impl Future<Output = Self> {
        Self::acquire("holdfast-pop", 3_000)
    }

    /// Waits for the other tabs. Where there are no locks it goes on without, and where nobody lets go for
    /// so long: a tab that holds on is frozen or broken, and waiting for it would hang this one.
    pub async fn acquire(name: &str, patience_ms: u32) -> Self {
        let release = Settled::from(acquire_lock(name, patience_ms)).await;
        Self(release.ok().and_then(|release| release.dyn_into().ok()))
    }

    /// Waits for the lock, or takes it from whoever holds it.
    pub(crate) fn wait(name: &str, how: Wait, told: impl Fn(Waited) + 'static) -> Option<Waiting> {
        let tell = function(move |lost, release: JsValue| {
            told(if lost == 0 { Waited::Granted(Self(release.dyn_into().ok())) } else { Waited::Lost });
        });
        wait_for_lock(name, matches!(how, Wait::Steal), &tell).map(Waiting)
    }
}

/// How to get a lock that somebody else may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    Patiently,
    Steal,
}

/// Waits no longer when dropped; a lock that was granted stays.
pub(crate) struct Waiting(Function);

impl Drop for Waiting {
    fn drop(&mut self) {
        run(&self.0);
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(release) = self.0.take() {
            run(&release);
        }
    }
}
