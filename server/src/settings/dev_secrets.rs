//! In development a missing secret is made at random, and kept in a file that only its owner can read.

use crate::{entropy::Entropy, secrets::Secret};
use serde::Deserialize;
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};
use zeroize::Zeroizing;

#[derive(Deserialize)]
pub(super) struct Made {
    pub secret: Secret,
    pub credentials_key: Secret,
    pub setup_token: Secret,
}

pub(super) fn read_or_make(data: &Path) -> io::Result<Option<Made>> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(data)?;
    let path = data.join("development-secrets.toml");
    let entropy = Entropy::system();
    let make = || Secret::new(entropy.make_text());
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => {
            let made = Made { secret: make(), credentials_key: make(), setup_token: make() };
            let [secret, credentials_key, setup_token] =
                [&made.secret, &made.credentials_key, &made.setup_token].map(Secret::reveal);
            let text = Zeroizing::new(format!(
                "secret = \"{secret}\"\ncredentials_key = \"{credentials_key}\"\nsetup_token = \"{setup_token}\"\n"
            ));
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            Ok(Some(made))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let text = Zeroizing::new(fs::read_to_string(&path)?);
            toml::from_str(&text)
                .map(Some)
                .map_err(|_| io::Error::other(format!("{} is damaged; delete it", path.display())))
        }
        Err(error) => Err(error),
    }
}
