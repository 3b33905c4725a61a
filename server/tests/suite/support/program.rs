use super::{Answer, Raw};
use holdfast_protocol::ids::AgentId;
use serde_json::{Value, json};
use std::net::SocketAddr;

/// An agent's program: it has no cookies, and says no origin.
#[derive(Clone)]
pub struct Program {
    pub address: SocketAddr,
    pub id: AgentId,
    pub token: String,
}

impl Program {
    /// What an agent asks for before it has a token.
    pub async fn ask(address: SocketAddr, path: &str, body: &Value) -> Answer {
        Self::request("POST", path, body).send(address).await
    }

    /// What it is, as it is told.
    pub async fn own(&self) -> Answer {
        self.read("/v1/agents/self").await
    }

    pub async fn read(&self, path: &str) -> Answer {
        let mut request = Raw::new("GET", path);
        request.add("authorization", format!("Bearer {}", self.token));
        request.send(self.address).await
    }

    /// Pays so much, under a key of this number.
    pub async fn charge(&self, amount: &str, number: usize) -> Answer {
        self.charge_request(amount, number).send(self.address).await
    }

    pub fn charge_request(&self, amount: &str, number: usize) -> Raw {
        let merchant = json!({ "name": "Books", "settlement_token": "USDC" });
        let body = json!({ "amount": amount, "merchant": merchant });
        let mut request = Self::request("POST", "/v1/agents/charges", &body);
        request.add("authorization", format!("Bearer {}", self.token));
        request.add("idempotency-key", format!("key-of-the-charge-{number}"));
        request
    }

    fn request(method: &str, path: &str, body: &Value) -> Raw {
        let mut request = Raw::new(method, path);
        request.add("content-type", "application/json");
        request.body = body.to_string().into_bytes();
        request
    }
}
