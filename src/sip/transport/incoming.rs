//! Calls that the trunks bring us.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tracing::debug;

use super::socket::{Knock, Shared, lock};
use super::{Line, Path, UserAgent};
use crate::sip::message::Message;
use crate::sip::stray;
use crate::sip::targets::Target;
use crate::sip::trunk::{Transport, Trunk};
use crate::sip::via::{Hop, transport};

/// A call that a trunk brings: its INVITE, to which nothing has been said yet.
///
/// Contract: it is answered within moments, by what [`Invite::taken`](crate::sip::invite::Invite::taken) gives or by
///           [`Incoming::refuse`]. Copies of the INVITE wait in the line's inbox meanwhile.
#[derive(Debug)]
pub struct Incoming {
    /// The INVITE.
    pub request: Message,
    /// Its trunk.
    pub trunk: Arc<Trunk>,
    /// How our own requests in this call leave.
    pub path: Path,
    /// The way of this call.
    pub line: Line,
}

impl Incoming {
    /// Refuses the call.
    pub async fn refuse(mut self, status: u16) {
        let refusal = stray::refuse(&self.request, status);
        if let Err(error) = self.line.send(&refusal).await {
            debug!(%error, "a refusal was not sent");
        }
    }
}

impl UserAgent {
    /// Waits for the next call of a trunk; for ever, if calls are not taken.
    pub async fn next_call(&self) -> Incoming {
        let mut knocks = self.knocks.lock().await;
        loop {
            let Some(knock) = knocks.recv().await else {
                return std::future::pending().await;
            };
            match self.incoming(knock) {
                Ok(incoming) => return incoming,
                Err(error) => debug!(%error, "a call came from where nobody can be answered"),
            }
        }
    }

    fn incoming(&self, knock: Knock) -> io::Result<Incoming> {
        let Knock { request, source, connected, inbox } = knock;
        let call_id = request.call_id.clone();
        let path = self.shared.path_back(&request, source, connected);
        // From there on the inbox is closed with the line.
        let path = path.inspect_err(|_| self.shared.close_inbox(&call_id))?;
        let line = Line {
            inbox,
            path: path.clone(),
            asked: String::new(),
            call_id,
            shared: self.shared.clone(),
            _alive: self.alive.clone(),
        };
        let trunk = self.shared.ways[path.way].trunk.clone();
        Ok(Incoming { request, trunk, path, line })
    }
}

impl Shared {
    /// How our own requests get to whoever has sent this one.
    fn path_back(
        &self,
        request: &Message,
        source: SocketAddr,
        connected: bool,
    ) -> io::Result<Path> {
        let asked = request.request_uri().split_once(':').map_or("", |(_, rest)| rest);
        let asked = asked.split(['@', ';']).next().unwrap_or_default();
        let from_there = |way: &usize| self.ways[*way].is_member(source.ip().to_canonical());
        let members = || (0..self.ways.len()).filter(from_there);
        // Two trunks may be two accounts at one provider.
        let named = members().find(|way| self.ways[*way].trunk.user() == asked);
        let way = named.or_else(|| members().next()).ok_or(io::ErrorKind::NotConnected)?;
        let here = &self.ways[way];
        if !connected {
            let local = self.local_towards(source)?;
            let public = here.public().unwrap_or(local);
            let target = Target { transport: Transport::Udp, address: source };
            let hop = Hop { transport: Transport::Udp, local, public };
            return Ok(Path { hop, target, spare: false, way, connection: None });
        }
        let connection = lock(&self.connections).get(&source).cloned();
        let connection = connection.ok_or(io::ErrorKind::NotConnected)?;
        let transport = transport(request).unwrap_or(Transport::Tcp);
        let local = connection.local;
        let public = connection.public().unwrap_or(local);
        // When the connection is gone, the trunk is reached as for calls of ours.
        let target = here.pick().unwrap_or(Target { transport, address: source });
        let hop = Hop { transport, local, public };
        Ok(Path { hop, target, spare: false, way, connection: Some(connection) })
    }
}
