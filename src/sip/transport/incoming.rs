//! Calls that the trunks bring us.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tracing::debug;

use super::socket::{NewInvite, TransportState, lock};
use super::{Route, SipChannel, UserAgent};
use crate::sip::message::Message;
use crate::sip::out_of_dialog;
use crate::sip::targets::Target;
use crate::sip::trunk::{Transport, Trunk};
use crate::sip::via::LocalAddr;

/// A call that a trunk brings: its INVITE, to which nothing has been said yet.
///
/// Contract: it is answered within moments, by what [`Invite::accept`](crate::sip::invite::Invite::accept) gives or by
///           [`Incoming::refuse`]. Copies of the INVITE wait in the line's inbox meanwhile.
#[derive(Debug)]
pub struct Incoming {
    /// The INVITE.
    pub request: Message,
    /// Its trunk.
    pub trunk: Arc<Trunk>,
    /// How our own requests in this call leave.
    pub route: Route,
    /// Where its messages come and go.
    pub channel: SipChannel,
}

impl Incoming {
    /// Refuses the call.
    pub async fn refuse(mut self, status: u16) {
        let refusal = out_of_dialog::refuse(&self.request, status);
        if let Err(error) = self.channel.send(&refusal).await {
            debug!(%error, "refusal not sent");
        }
    }
}

impl UserAgent {
    /// Waits for the next call of a trunk; for ever, if calls are not taken.
    pub async fn next_call(&self) -> Incoming {
        let mut new_invites = self.new_invites.lock().await;
        loop {
            let Some(new_invite) = new_invites.recv().await else {
                return std::future::pending().await;
            };
            match self.incoming(new_invite) {
                Ok(incoming) => return incoming,
                Err(error) => debug!(%error, "call dropped, its source cannot be answered"),
            }
        }
    }

    fn incoming(&self, new_invite: NewInvite) -> io::Result<Incoming> {
        let NewInvite { request, source, by, inbox } = new_invite;
        let call_id = request.call_id.clone();
        let route = self.shared.route_back(&request, source, by);
        // From there on the inbox is closed with the channel.
        let route = route.inspect_err(|_| self.shared.close_inbox(&call_id))?;
        self.shared.keep_inbox_for(&call_id, route.endpoint);
        let channel = SipChannel {
            inbox,
            route: route.clone(),
            last_branch: String::new(),
            call_id,
            shared: self.shared.clone(),
            _alive: self.alive.clone(),
        };
        let trunk = self.shared.endpoints[route.endpoint].trunk.clone();
        Ok(Incoming { request, trunk, route, channel })
    }
}

impl TransportState {
    /// The route of our own requests to the source of this one.
    fn route_back(
        &self,
        request: &Message,
        source: SocketAddr,
        by: Transport,
    ) -> io::Result<Route> {
        let requested = request.request_uri().split_once(':').map_or("", |(_, rest)| rest);
        let requested = requested.split(['@', ';']).next().unwrap_or_default();
        let from_there = |endpoint: &usize| self.endpoints[*endpoint].accepts(source.ip(), by);
        let members = || (0..self.endpoints.len()).filter(from_there);
        // Two trunks may be two accounts at one provider.
        let named = members().find(|endpoint| self.endpoints[*endpoint].trunk.user() == requested);
        let endpoint = named.or_else(|| members().next()).ok_or(io::ErrorKind::NotConnected)?;
        let here = &self.endpoints[endpoint];
        if !by.is_reliable() {
            let local = self.local_towards(source)?;
            let public = self.advertise.or(here.public()).unwrap_or(local);
            let target = Target { transport: Transport::Udp, address: source };
            let local_addr = LocalAddr { transport: Transport::Udp, local, public };
            return Ok(Route { local_addr, target, spare: false, endpoint, connection: None });
        }
        let connection = lock(&self.connections).get(&source).cloned();
        let connection = connection.ok_or(io::ErrorKind::NotConnected)?;
        let local_addr = self.end_of(&connection, by);
        // When the connection is gone, the trunk is reached as for calls of ours.
        let target = here.pick().unwrap_or(Target { transport: by, address: source });
        Ok(Route { local_addr, target, spare: false, endpoint, connection: Some(connection) })
    }
}
