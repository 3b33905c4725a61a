//! What is kept of what was signed for.

use crate::base64url::Bytes;
use serde::{Deserialize, Deserializer, Serialize};

/// Kept with an event, so that whoever has only the log can judge it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case", try_from = "Fields")]
pub enum Evidence {
    /// A passkey was registered: what its later signatures are verified with.
    Registration {
        /// Names the key to authenticators.
        credential_id: Bytes,
        /// COSE_Key (RFC 9052).
        public_key: Bytes,
        /// Whether it may be synced; never changes.
        backup_eligible: bool,
    },
    /// An operation was signed for.
    StepUp {
        /// In their one spelling (RFC 8785).
        parameters: String,
        /// The challenge is its hash.
        token: String,
        /// Whose signature.
        credential_id: Bytes,
        /// As the browser made it.
        client_data_json: Bytes,
        /// As the authenticator made it.
        authenticator_data: Bytes,
        /// Over authenticator data and the hash of the client data.
        signature: Bytes,
    },
}

/// Every field that evidence can have. serde's own reading of a tagged enum copies all of them first, which
/// costs whoever reads a whole log more than any of its checks but the signature.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    of: Of,
    credential_id: Bytes,
    #[serde(default, deserialize_with = "present")]
    public_key: Option<Bytes>,
    #[serde(default, deserialize_with = "present")]
    backup_eligible: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    parameters: Option<String>,
    #[serde(default, deserialize_with = "present")]
    token: Option<String>,
    #[serde(default, deserialize_with = "present")]
    client_data_json: Option<Bytes>,
    #[serde(default, deserialize_with = "present")]
    authenticator_data: Option<Bytes>,
    #[serde(default, deserialize_with = "present")]
    signature: Option<Bytes>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Of {
    Registration,
    StepUp,
}

/// `null` is not a way to leave a field out.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The fields are not exactly those of one kind of evidence.
struct NotEvidence;

impl core::fmt::Display for NotEvidence {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("not the fields of one kind of evidence")
    }
}

impl TryFrom<Fields> for Evidence {
    type Error = NotEvidence;

    fn try_from(fields: Fields) -> Result<Self, NotEvidence> {
        match fields {
            Fields {
                of: Of::Registration,
                credential_id,
                public_key: Some(public_key),
                backup_eligible: Some(backup_eligible),
                parameters: None,
                token: None,
                client_data_json: None,
                authenticator_data: None,
                signature: None,
            } => Ok(Self::Registration { credential_id, public_key, backup_eligible }),
            Fields {
                of: Of::StepUp,
                credential_id,
                public_key: None,
                backup_eligible: None,
                parameters: Some(parameters),
                token: Some(token),
                client_data_json: Some(client_data_json),
                authenticator_data: Some(authenticator_data),
                signature: Some(signature),
            } => Ok(Self::StepUp {
                parameters,
                token,
                credential_id,
                client_data_json,
                authenticator_data,
                signature,
            }),
            _ => Err(NotEvidence),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn both() -> [Evidence; 2] {
        let bytes = |byte| Bytes(vec![byte; 3]);
        [
            Evidence::Registration { credential_id: bytes(1), public_key: bytes(2), backup_eligible: true },
            Evidence::StepUp {
                parameters: r#"{"id":"“x”"}"#.to_owned(),
                token: "e30.AAAA".to_owned(),
                credential_id: bytes(1),
                client_data_json: bytes(3),
                authenticator_data: bytes(4),
                signature: bytes(5),
            },
        ]
    }

    #[test]
    fn evidence_is_read_as_it_is_written_and_as_nothing_else() {
        let written = both().map(|evidence| serde_json::to_value(evidence).unwrap());
        let read = |value: &Value| serde_json::from_str::<Evidence>(&value.to_string()).ok();
        for (evidence, value) in both().iter().zip(&written) {
            assert_eq!(read(value).as_ref(), Some(evidence));
            for (name, member) in value.as_object().unwrap() {
                let mut less = value.clone();
                less.as_object_mut().unwrap().remove(name);
                assert_eq!(read(&less), None, "without {name}");
                let mut null = value.clone();
                null[name] = Value::Null;
                assert_eq!(read(&null), None, "{name}: null");
                let twice = value.to_string().replacen('{', &format!("{{\"{name}\":{member},"), 1);
                assert!(serde_json::from_str::<Evidence>(&twice).is_err(), "{name} twice");
            }
            let other = if value == &written[0] { &written[1] } else { &written[0] };
            for (name, member) in other.as_object().unwrap() {
                let mut more = value.clone();
                more[name] = member.clone();
                let same = more == *value;
                assert_eq!(read(&more).is_some(), same, "with {name} of the other");
                more[name] = Value::Null;
                assert_eq!(read(&more), None, "with {name}: null");
            }
            let mut more = value.clone();
            more["more"] = json!(1);
            assert_eq!(read(&more), None);
        }
    }
}
