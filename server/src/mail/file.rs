//! Mail as a file: whole or not at all, and its owner's alone.

use super::store::Waiting;
use crate::config::Config;
use holdfast_protocol::ids::MailId;
use lettre::{
    Address, Message,
    message::{Mailbox, SinglePart},
};
use std::{
    error::Error,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

type Failure = Box<dyn Error + Send + Sync>;

/// Writes a mail to `FOLDER/ID.eml`. Written again, it is the same file with the same Message-ID.
pub(super) async fn put(folder: &Path, config: &Config, mail: &Waiting) -> Result<PathBuf, Failure> {
    let bytes = message(config, mail)?;
    // What names a file is an id, whoever wrote it into the database.
    let name = MailId::parse(&mail.id)?.as_str().to_owned();
    let folder = folder.to_owned();
    Ok(tokio::task::spawn_blocking(move || write(&folder, &name, &bytes)).await??)
}

/// RFC 5322, with RFC 2047 where a header is not ASCII.
fn message(config: &Config, mail: &Waiting) -> Result<Vec<u8>, Failure> {
    let from = Address::new("no-reply", &config.rp_id)?;
    let to: Address = mail.to_address.parse()?;
    let since = Duration::from_millis(u64::try_from(mail.created_at_ms)?);
    let message = Message::builder()
        .from(Mailbox::new(Some(one_line(&config.rp_name)), from))
        .to(Mailbox::new(Some(one_line(&mail.to_name)), to))
        .date(UNIX_EPOCH + since)
        .message_id(Some(mail.message_id.clone()))
        .subject(one_line(&mail.subject))
        .singlepart(SinglePart::plain(mail.body.clone()))?;
    Ok(message.formatted())
}

/// What goes into a header has no line of its own there, however it came into the database.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let (whole, begun) = (folder.join(format!("{name}.eml")), folder.join(format!(".{name}.begun")));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&begun)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&begun, &whole)?;
    File::open(folder)?.sync_all()?;
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Secret;
    use std::os::unix::fs::PermissionsExt as _;

    fn config() -> Config {
        let secret = |text: &str| Secret::new(text.to_owned());
        Config::development("http://localhost:8080", secret(&"s".repeat(32)), secret(&"t".repeat(16)))
    }

    fn mail() -> Waiting {
        Waiting {
            id: "eml_0000-0000-0000-0000".to_owned(),
            to_name: "Mara".to_owned(),
            to_address: "mara@example.org".to_owned(),
            subject: "Passkey added".to_owned(),
            body: "Hello Mara,\n\nit is so.".to_owned(),
            message_id: "<eml_0000-0000-0000-0000@localhost>".to_owned(),
            created_at_ms: 1_800_000_000_000,
            attempts: 0,
        }
    }

    fn written(mail: &Waiting) -> String {
        String::from_utf8(message(&config(), mail).unwrap()).unwrap()
    }

    /// The headers, each in one line as it is read (RFC 5322, section 2.2.3).
    fn headers(text: &str) -> Vec<String> {
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        head.replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn a_mail_is_written_as_rfc_5322_has_it() {
        assert_eq!(
            written(&mail()),
            "From: Holdfast <no-reply@localhost>\r\n\
             To: Mara <mara@example.org>\r\n\
             Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n\
             Message-ID: <eml_0000-0000-0000-0000@localhost>\r\n\
             Subject: Passkey added\r\n\
             MIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\
             Content-Transfer-Encoding: 7bit\r\n\
             \r\n\
             Hello Mara,\r\n\r\nit is so.\r\n"
        );
    }

    #[test]
    fn what_is_not_ascii_is_encoded() {
        let text = written(&Waiting {
            to_name: "Ключница Мара".to_owned(),
            subject: "Passkey added: “Ключ”".to_owned(),
            body: "“Ключ”".to_owned(),
            ..mail()
        });
        assert!(text.is_ascii(), "{text}");
        let named = |name: &str| headers(&text).into_iter().find(|header| header.starts_with(name)).unwrap();
        assert!(named("Subject: ").contains("=?utf-8?b?"), "{text}");
        assert!(
            named("To: ").starts_with("To: =?utf-8?b?") && named("To: ").ends_with(" <mara@example.org>")
        );
    }

    #[test]
    fn a_name_makes_no_header_and_no_line_too_long() {
        let names = [
            "Mara\r\nBcc: eve@example.org",
            "Mara\nBcc: eve@example.org",
            "Mara\r\n\r\nBcc: eve@example.org",
            "Ключ\r\nBcc: eve@example.org",
            "\"Mara\" <eve@example.org>, x",
            "Mara <eve@example.org>",
            "=?utf-8?q?Eve_=3Ceve=40example.org=3E?=",
            &"W".repeat(64),
            &"Ключ ".repeat(12),
            &"\u{1f511}".repeat(64),
            "",
        ];
        let known = headers(&written(&mail())).into_iter();
        let known: Vec<String> = known.map(|header| header.split(": ").next().unwrap().to_owned()).collect();
        for name in names {
            let subject = format!("Passkey added: “{name}”");
            let text = written(&Waiting { to_name: name.to_owned(), subject, ..mail() });
            let found = headers(&text);
            let names: Vec<&str> = found.iter().filter_map(|header| header.split(": ").next()).collect();
            assert_eq!(names, known, "{text}");
            assert!(text.lines().all(|line| line.len() <= 998), "{text}");
            // One address alone: the other is within a quotation, or encoded.
            let to = found.iter().find(|header| header.starts_with("To: ")).unwrap();
            let bare = to.replace("\\\"", "").split('"').step_by(2).collect::<String>();
            assert_eq!(bare.matches('@').count(), 1, "{to}");
        }
    }

    #[test]
    fn an_address_that_is_none_is_an_error() {
        for address in ["mara", "mara@example.org\r\nBcc: eve@example.org", "a@b, c@d", ""] {
            assert!(message(&config(), &Waiting { to_address: address.to_owned(), ..mail() }).is_err());
        }
    }

    #[tokio::test]
    async fn what_is_no_mails_id_names_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let within = folder.path().join("mail");
        for id in ["../eml_0000-0000-0000-0000", "/etc/passwd", "eml_", "eml_0000-0000-0000-0000/../x", ""] {
            assert!(put(&within, &config(), &Waiting { id: id.to_owned(), ..mail() }).await.is_err());
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_mail_is_its_owners_alone_and_written_twice_it_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let within = folder.path().join("data").join("mail");
        let path = put(&within, &config(), &mail()).await.unwrap();
        assert_eq!(put(&within, &config(), &mail()).await.unwrap(), path);
        assert_eq!(fs::read_to_string(&path).unwrap(), written(&mail()));
        let all: Vec<_> = fs::read_dir(&within).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(all, [path.as_path()]);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&within)), (0o600, 0o700));
    }
}
