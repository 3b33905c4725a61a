//! In development a missing secret is made at random, and kept in a file that only its owner can read.

use crate::entropy::Entropy;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

#[derive(Serialize, Deserialize)]
pub(super) struct Made {
    pub secret: String,
    pub credentials_key: String,
    pub setup_token: String,
}

pub(super) fn read_or_make(data: &Path) -> io::Result<Option<Made>> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(data)?;
    let path = data.join("development-secrets.toml");
    let entropy = Entropy::system();
    let made = Made {
        secret: entropy.make_text(),
        credentials_key: entropy.make_text(),
        setup_token: entropy.make_text(),
    };
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => {
            let text = toml::to_string(&made).map_err(io::Error::other)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            Ok(Some(made))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let text = fs::read_to_string(&path)?;
            toml::from_str(&text)
                .map(Some)
                .map_err(|_| io::Error::other(format!("{} is damaged; delete it", path.display())))
        }
        Err(error) => Err(error),
    }
}
