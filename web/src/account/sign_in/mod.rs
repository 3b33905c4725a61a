mod effects;
mod state;
mod view;

pub use view::{SignInPage, SignInPageProps};
