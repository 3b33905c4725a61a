//! A server, people, and their browsers.

mod browser;
mod dump;
mod endpoints;
mod guest;
mod line;
mod owner;
mod program;
mod proof;
mod raw;
mod soft_passkey;
mod world;

pub use browser::{ACTIVITY, Answer, Browser, Minted, PlainBody, make_key, public};
pub use dump::{everything_stored, guarded_facts, stored_facts};
pub use endpoints::{Access, Endpoint, Sample, endpoints, sample};
pub use guest::{Cookies, Guest, login_body};
pub use line::{Heard, Line, dial, path_of};
pub use owner::Owner;
pub use program::Program;
pub use proof::Proof;
pub use raw::{Framing, Raw};
pub use soft_passkey::{BE, BS, Lie, Said, SoftPasskey, UP, UV};
pub(crate) use world::run;
pub use world::{CREDENTIALS_KEY, ORIGIN, PATIENT, SECRET, SETUP_TOKEN, World, name_of, passkey_of};

/// Real time after which something that must happen has not happened.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);
/// Real time after which something that must not happen is taken not to.
pub const SILENCE: std::time::Duration = std::time::Duration::from_millis(150);
