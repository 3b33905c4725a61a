use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::devtools::Command;
use super::{Browser, Kind};

/// The network, as the browser has it.
impl Browser {
    /// Cuts it off: in Chromium the tab that is driven now, in Firefox all of them.
    pub async fn go_offline(&self) -> Result<()> {
        match self.kind {
            Kind::Chromium => self.set_network(true, 0).await,
            Kind::Firefox => self.set_offline(true).await,
            Kind::WebKit => bail!("nothing takes the network from WebKitGTK"),
        }
    }

    /// Gives it back.
    pub async fn go_online(&self) -> Result<()> {
        match self.kind {
            // As fast as it was.
            Kind::Chromium => self.set_network(false, -1).await,
            Kind::Firefox => self.set_offline(false).await,
            Kind::WebKit => bail!("nothing takes the network from WebKitGTK"),
        }
    }

    async fn set_network(&self, offline: bool, bytes_a_second: i32) -> Result<()> {
        self.devtools("Network.enable", json!({})).await?;
        let conditions = json!({
            "offline": offline,
            "latency": 0,
            "downloadThroughput": bytes_a_second,
            "uploadThroughput": bytes_a_second,
        });
        self.devtools("Network.emulateNetworkConditions", conditions).await?;
        Ok(())
    }

    async fn set_offline(&self, offline: bool) -> Result<()> {
        // The machine's own addresses stay within reach of a Firefox that is offline, so that they lead to a
        // proxy where nobody is.
        const SCRIPT: &str = "
            const [offline] = arguments;
            const { prefs, io } = Services;
            prefs.setBoolPref('network.proxy.allow_hijacking_localhost', true);
            for (const kind of ['http', 'ssl']) {
                prefs.setStringPref(`network.proxy.${kind}`, '127.0.0.1');
                prefs.setIntPref(`network.proxy.${kind}_port`, 9);
            }
            prefs.setIntPref('network.proxy.type', offline ? 1 : 0);
            io.offline = offline;";
        self.execute_in_browser(SCRIPT, &[json!(offline)]).await?;
        Ok(())
    }

    /// Runs a script's body in Firefox itself instead of the page.
    pub(super) async fn execute_in_browser(&self, script: &str, arguments: &[Value]) -> Result<Value> {
        self.command(Command::post("moz/context", json!({ "context": "chrome" }))).await?;
        let answer = self.execute(script, arguments).await;
        self.command(Command::post("moz/context", json!({ "context": "content" }))).await?;
        answer
    }
}
