//! The account: making it, opening it, leaving it, and how well it is protected.

mod setup;
mod sign_in;
mod sign_out;
mod summary;
mod text;
mod welcome;

pub use setup::{SetupPage, SetupPageProps};
pub use sign_in::{SignInPage, SignInPageProps};
pub use sign_out::{AtStake, SignOut, SignOutProps};
pub use summary::{Live, summary};
pub use welcome::done;
