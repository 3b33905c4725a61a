//! The world of Holdfast's tests: real browsers with virtual authenticators, a real PostgreSQL, and
//! the real server. In reading order:

/// Waiting for a condition, with a deadline and never for luck.
pub mod wait;

/// Programs that a test starts, and that are gone when it ends, whatever ends it.
mod supervised;

/// A display for the browser that cannot do without one.
pub mod display;

/// Chromium, Firefox and WebKitGTK, found by role and name as a person or a screen reader finds things.
pub mod browser;

/// A PostgreSQL of the test run's own.
pub mod postgres;

/// Everything that a scenario needs, in one place.
pub mod world;

/// What challenges a page without end, to see what that costs it.
pub mod challenger;
