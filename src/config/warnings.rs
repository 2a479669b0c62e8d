//! What a configuration may say though it is dangerous, or cannot do what it is there for.

use secrecy::ExposeSecret;

use super::{Fixed, Live};
use crate::address_scope::is_loopback;
use crate::script::menu::Menu;

/// A warning and the key that it is about.
#[derive(Debug)]
pub(super) struct Warning {
    pub(super) table: &'static str,
    /// Which one of `[[table]]`.
    pub(super) index: Option<usize>,
    pub(super) key: &'static str,
    pub(super) says: String,
}

/// All that the values alone tell.
pub(super) fn warnings(fixed: &Fixed, live: &Live) -> Vec<Warning> {
    let found = [component(fixed), trunks(fixed, live), throttles(live), http(fixed)];
    let mut found: Vec<_> = found.into_iter().flatten().collect();
    found.extend(ports(fixed));
    found.extend(callback(fixed, live));
    found.extend(nobody(live));
    found.extend(idle_deny(live));
    found.extend(menu(&live.script.menu));
    found.extend(numbers(live));
    found
}

fn warning(table: &'static str, key: &'static str, says: impl Into<String>) -> Warning {
    Warning { table, index: None, key, says: says.into() }
}

fn component(fixed: &Fixed) -> Vec<Warning> {
    let mut found = vec![];
    let component = &fixed.component;
    if component.secret.expose_secret() == MANUAL_SECRET {
        let says = "everybody knows this secret; make one with openssl rand -hex 32";
        found.push(warning("component", "secret", says));
    }
    let host = component.server.rsplit_once(':').map_or("", |(host, _)| host);
    if !is_loopback(host) {
        let says = "another machine, and XEP-0114 is not encrypted; put a tunnel between them";
        found.push(warning("component", "server", says));
    }
    found
}

fn trunks(fixed: &Fixed, live: &Live) -> Vec<Warning> {
    let allow = &live.policy.allow;
    let carries = |prefixes: &[String]| {
        prefixes.iter().any(|prefix| allow.iter().any(|allowed| meet(prefix, allowed)))
    };
    let idle = fixed.trunks.iter().enumerate().filter(|(_, trunk)| !carries(&trunk.prefixes));
    let says = "dial.allow lets no number be dialled that this trunk carries";
    idle.map(|(index, _)| Warning { index: Some(index), ..warning("trunk", "prefixes", says) })
        .collect()
}

fn throttles(live: &Live) -> Vec<Warning> {
    let lists =
        [("throttle", &live.policy.throttle), ("sender_throttle", &live.policy.sender_throttle)];
    let open = lists.into_iter().filter(|(_, throttles)| throttles.is_empty());
    open.map(|(key, _)| {
        warning("dial", key, "without a limit a phone may ring without end; leave the key out")
    })
    .collect()
}

fn http(fixed: &Fixed) -> Vec<Warning> {
    let open = fixed.http.filter(|listen| listen.ip().is_unspecified());
    let says = "reachable from everywhere, in plain HTTP; listen on 127.0.0.1, behind a proxy";
    open.map(|_| warning("http", "listen", says)).into_iter().collect()
}

fn ports(fixed: &Fixed) -> Option<Warning> {
    // A call takes an even port, and the one above it for reports (RFC 3550 §11).
    let calls = fixed.media.ports.clone().filter(|port| port % 2 == 0).count();
    let calls_max: usize = fixed.trunks.iter().map(|trunk| trunk.calls_max as usize).sum();
    (calls < calls_max).then(|| {
        let says = format!(
            "enough for {calls} calls at once, each of which takes two, while the trunks' calls_max is {calls_max}"
        );
        warning("media", "ports", says)
    })
}

/// A trunk that does not learn our port by a registration has to be told it.
fn callback(fixed: &Fixed, live: &Live) -> Option<Warning> {
    let is_reachable = fixed.sip.listen.port() > 0 || fixed.trunks.iter().any(|it| it.register);
    (live.callback.enabled && !is_reachable).then(|| {
        let says = "no trunk can bring calls to a port that changes with each start; write a port, or register = true in a trunk";
        warning("sip", "listen", says)
    })
}

fn nobody(live: &Live) -> Option<Warning> {
    let domain = live.access.admins.iter().find(|admin| admin.node().is_none())?;
    let says = format!(
        "{domain} is a domain, and no account of it is meant by that; write admin@{domain}"
    );
    Some(warning("component", "admins", says))
}

fn idle_deny(live: &Live) -> Option<Warning> {
    let policy = &live.policy;
    let is_idle = |deny: &&String| !policy.allow.iter().any(|allow| meet(deny, allow));
    let deny = policy.deny.iter().find(is_idle)?;
    let says =
        format!("dial.allow has no number that begins with {deny}; it is not dialled anyway");
    Some(warning("dial", "deny", says))
}

/// Whether there are numbers with both beginnings.
fn meet(one: &str, other: &str) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

fn menu(menu: &Menu) -> Vec<Warning> {
    let unknown = menu.keys().enumerate().filter_map(|(index, key)| {
        let reply = menu.reply(key, "")?;
        let inside = reply.split('{').skip(1).find_map(|rest| rest.split_once('}'))?.0;
        let says =
            format!("the sender reads {{{inside}}} as it stands; only {{callee}} is filled in");
        Some(Warning { index: Some(index), ..warning("key", "reply", says) })
    });
    unknown.collect()
}

/// With `callback`, a caller is known by the number they call from.
fn numbers(live: &Live) -> Vec<Warning> {
    let people = &live.subscribers;
    let double = people.iter().enumerate().filter_map(|(index, person)| {
        let number = person.number.as_ref()?;
        let first = people[..index].iter().find(|other| other.number.as_ref() == Some(number))?;
        let says =
            format!("{} has this number, too; a call from it cannot tell them apart", first.jid);
        Some(Warning { index: Some(index), ..warning("subscriber", "number", says) })
    });
    double.collect()
}

const MANUAL_SECRET: &str = "change me";
