//! Step-up: nothing that is declared as an action is done without a confirmation of exactly that (U1 to U9).
//! Every action of `protocol` walks through the table, at two instances on one database, in turns; a new one
//! joins by its entry in `walks.rs`.

mod assertions;
mod changes;
mod holds;
mod keys;
mod log;
mod races;
pub mod stage;
mod table;
mod times;
mod trail;
mod walks;
