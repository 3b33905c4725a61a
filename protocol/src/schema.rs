use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use std::any::type_name;

/// A type of the wire, for whoever writes documents.
#[derive(Debug, Clone, Copy)]
pub struct Described {
    /// With its module.
    pub name: &'static str,
    /// A reference to its schema, which the generator keeps.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

impl Described {
    /// Any type of the wire.
    pub fn of<T: JsonSchema>() -> Self {
        Self { name: type_name::<T>(), schema: SchemaGenerator::subschema_for::<T> }
    }
}

// Options that go to `navigator.credentials`: WebAuthn Level 3 declares them, and the crate that has them as types
// does not describe them. As the browser's `parse…OptionsFromJSON` read them.

/// `PublicKeyCredentialCreationOptionsJSON`, section 5.1.10.
pub(crate) fn creation_options(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "WebAuthn Level 3, `PublicKeyCredentialCreationOptionsJSON`",
        "type": "object",
        "required": ["rp", "user", "challenge", "pubKeyCredParams", "authenticatorSelection"],
        "properties": {
            "rp": {
                "type": "object",
                "required": ["id", "name"],
                "properties": { "id": { "type": "string" }, "name": { "type": "string" } }
            },
            "user": {
                "type": "object",
                "required": ["id", "name", "displayName"],
                "properties": {
                    "id": base64url(), "name": { "type": "string" }, "displayName": { "type": "string" }
                }
            },
            "challenge": base64url(),
            "pubKeyCredParams": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["type", "alg"],
                    "properties": { "type": { "const": "public-key" }, "alg": { "type": "integer" } }
                }
            },
            "timeout": { "type": "integer" },
            "excludeCredentials": { "type": "array", "items": descriptor() },
            "authenticatorSelection": {
                "type": "object",
                "required": ["residentKey", "userVerification"],
                "properties": {
                    "residentKey": { "const": "required" },
                    "requireResidentKey": { "const": true },
                    "userVerification": { "const": "required" }
                }
            },
            "hints": { "type": "array", "items": { "type": "string" } },
            "attestation": { "const": "none" },
            "extensions": { "type": "object" }
        }
    })
}

/// `PublicKeyCredentialRequestOptionsJSON`, section 5.1.10.
pub(crate) fn request_options(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "WebAuthn Level 3, `PublicKeyCredentialRequestOptionsJSON`",
        "type": "object",
        "required": ["challenge", "rpId", "allowCredentials", "userVerification"],
        "properties": {
            "challenge": base64url(),
            "timeout": { "type": "integer" },
            "rpId": { "type": "string" },
            "allowCredentials": { "type": "array", "items": descriptor() },
            "userVerification": { "const": "required" },
            "hints": { "type": "array", "items": { "type": "string" } },
            "extensions": { "type": "object" }
        }
    })
}

fn base64url() -> Value {
    json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]+$" })
}

fn descriptor() -> Value {
    json!({
        "type": "object",
        "required": ["type", "id"],
        "properties": {
            "type": { "const": "public-key" },
            "id": base64url(),
            "transports": { "type": "array", "items": { "type": "string" } }
        }
    })
}
