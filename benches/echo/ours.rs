//! The echo on our own link, in a runtime like that of `offhook run`.

use offhook::seed::Seed;
use offhook::xmpp::link::{Link, LinkEvent, LinkSettings, LinkTimeouts};
use offhook::xmpp::stanza::set;

pub(crate) fn run(server: &str, jid: &str, secret: &str) {
    let settings = LinkSettings {
        jid: jid.to_owned(),
        server: server.to_owned(),
        secret: secret.to_owned().into(),
        timeouts: LinkTimeouts::default(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::spawn(echo(settings)).await.unwrap() });
}

async fn echo(settings: LinkSettings) {
    let (link, mut events) = Link::connect(settings, Seed::fresh()).await.unwrap();
    while let Some(event) = events.recv().await {
        let LinkEvent::Stanza(mut stanza) = event else { continue };
        let address = |name| stanza.attr(name).unwrap_or_default().to_owned();
        let (from, to) = (address("from"), address("to"));
        set(&mut stanza, "from", &to);
        set(&mut stanza, "to", &from);
        link.send(stanza).await;
    }
}
