//! Who the far end is on the network: whose packets are taken, and where ours may go.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::address_scope::AddressScope;

/// The far end of one stream. The session description names where it is; its writer may mean us to
/// flood a third party, and packets may come from anybody.
///
/// Nothing is taken from a host that neither the description has named nor is the trunk itself. Another address of
/// those two is learned when packets come from there and none from the one named (symmetric RTP); then source and
/// SSRC are fixed.
///
/// Nothing goes to an address that is nearer to us than the trunk, to a port of ours, or below port 1024; and to a
/// host from which nothing has come only for a while, which all such hosts of a call share.
///
/// Source: RFC 4961 (symmetric RTP); RFC 3550 §A.1 (probation); RFC 8445 §19.5.1 (flooding by description); RFC 7675
///         (consent, here by packets of RTP and RTCP).
#[derive(Debug)]
pub(super) struct MediaPeer {
    trunk: IpAddr,
    named: SocketAddr,
    source: Option<PacketOrigin>,
    candidate: Option<(PacketOrigin, u32)>,
    /// An SSRC that the peer may have for events alone, and how many packets it has sent.
    events: Option<(u32, u32)>,
    /// From where something has come.
    heard: Option<IpAddr>,
    /// How much sound may still go where nothing has come from.
    credit: Duration,
    /// The same for the trunk's own host, which nobody could mean us to flood: it has answered our INVITE. A phone that
    /// suppresses silence sends nothing before it is spoken into.
    trunk_credit: Duration,
    is_ours: bool,
}

/// Where packets come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PacketOrigin {
    pub(super) address: SocketAddr,
    pub(super) ssrc: u32,
}

/// Whose packet it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PacketSource {
    Stranger,
    Peer,
    /// The peer, from now on.
    NewPeer,
    /// The peer, which sends its events under another SSRC than its sound.
    PeerEvents,
}

impl MediaPeer {
    /// Through this trunk, at the address of the description; `credit` is for hosts that have not been heard.
    pub(super) fn new(trunk: IpAddr, named: SocketAddr, credit: Duration) -> Self {
        let (source, candidate, events, heard) = (None, None, None, None);
        let trunk_credit = credit * 2;
        Self {
            trunk,
            named,
            source,
            candidate,
            events,
            heard,
            credit,
            trunk_credit,
            is_ours: false,
        }
    }

    /// Another description. What has been sent unheard stays counted.
    pub(super) fn rename(&mut self, named: SocketAddr) {
        if named != self.named {
            (self.source, self.candidate, self.events, self.named) = (None, None, None, named);
        }
    }

    /// Whether the address named is one of our own.
    pub(super) fn forbid_port(&mut self, is_ours: bool) {
        self.is_ours = is_ours;
    }

    /// Where packets go, if they may.
    pub(super) fn address(&self) -> SocketAddr {
        self.source.map_or(self.named, |source| source.address)
    }

    pub(super) fn vouches_for(&self, host: IpAddr) -> bool {
        host == self.named.ip() || host == self.trunk
    }

    /// The address named is trusted at once, another port of its host after a few packets, and so is a new SSRC.
    pub(super) fn classify(&mut self, source: PacketOrigin) -> PacketSource {
        match self.source {
            Some(peer) if peer == source => {
                self.candidate = None;
                return PacketSource::Peer;
            }
            None if source.address == self.named => return self.fix(source),
            Some(peer) if peer.address == self.named && source.address != peer.address => {
                return PacketSource::Stranger; // The address named is in use; a neighbour of it is a stranger.
            }
            Some(_) | None => {}
        }
        let seen = match self.candidate {
            Some((candidate, seen)) if candidate == source => seen + 1,
            Some(_) | None => 1,
        };
        self.candidate = Some((source, seen));
        if seen < PROBATION { PacketSource::Stranger } else { self.fix(source) }
    }

    /// As [`MediaPeer::classify`], for a packet of telephone events. Gateways send them under an SSRC of their own between
    /// the packets of sound; that one needs no packets in a row.
    pub(super) fn classify_events(&mut self, source: PacketOrigin) -> PacketSource {
        let beside =
            |peer: PacketOrigin| peer.address == source.address && peer.ssrc != source.ssrc;
        if !self.source.is_some_and(beside) {
            return self.classify(source);
        }
        let seen = match self.events {
            Some((ssrc, seen)) if ssrc == source.ssrc => seen.saturating_add(1),
            Some(_) | None => 1,
        };
        self.events = Some((source.ssrc, seen));
        if seen < EVENTS_PROBATION { PacketSource::Stranger } else { PacketSource::PeerEvents }
    }

    fn fix(&mut self, source: PacketOrigin) -> PacketSource {
        (self.source, self.candidate) = (Some(source), None);
        PacketSource::NewPeer
    }

    /// Something of the far end has come from there.
    pub(super) fn hear(&mut self, host: IpAddr) {
        if host == self.address().ip() {
            self.heard = Some(host);
        }
    }

    /// Whether an address is one to which anything may go.
    pub(super) fn is_allowed(&self) -> bool {
        let (ip, port) = (self.address().ip(), self.address().port());
        let ours = self.is_ours && self.address() == self.named;
        let scope = AddressScope::of(ip);
        let within = ip == self.trunk || scope.is_some() && scope >= AddressScope::of(self.trunk);
        port >= PORT_MIN && !ours && within
    }

    fn is_heard(&self) -> bool {
        self.heard == Some(self.address().ip())
    }

    /// Whether a packet may go there now.
    pub(super) fn may_be_sent_to(&self) -> bool {
        self.is_allowed() && (self.is_heard() || !self.credit().is_zero())
    }

    /// So much time has passed in which we send, or would.
    pub(super) fn pass(&mut self, time: Duration) {
        if self.is_heard() {
            return;
        }
        let credit = match self.address().ip() == self.trunk {
            true => &mut self.trunk_credit,
            false => &mut self.credit,
        };
        *credit = credit.saturating_sub(time);
    }

    fn credit(&self) -> Duration {
        if self.address().ip() == self.trunk { self.trunk_credit } else { self.credit }
    }

    /// Whether all has been sent that may go to a host that is silent.
    pub(super) fn is_given_up(&self) -> bool {
        !self.is_heard() && self.credit().is_zero()
    }
}

const PROBATION: u32 = 4;
/// A short press is three packets, of which one may be lost.
const EVENTS_PROBATION: u32 = 2;
/// Below are services that no RTP belongs to.
const PORT_MIN: u16 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn media_peer(trunk: &str, named: &str) -> MediaPeer {
        MediaPeer::new(trunk.parse().unwrap(), named.parse().unwrap(), Duration::from_millis(60))
    }

    #[test]
    fn nothing_goes_nearer_than_the_trunk_is() {
        let trunks = ["9.9.9.9", "192.168.1.1", "169.254.7.7", "127.0.0.1"];
        // Whether each of them may name it: `y`, or `n`.
        let cases = [
            ("8.8.8.8:4000", "yyyy"),
            ("198.51.100.7:4000", "nyyy"),
            ("198.18.0.7:4000", "nyyy"),
            ("192.168.1.1:4000", "nyyy"),
            ("10.1.2.3:4000", "nyyy"),
            ("100.64.0.1:4000", "nyyy"),
            ("169.254.1.1:4000", "nnyy"),
            ("127.0.0.1:4000", "nnny"),
            ("127.255.0.9:4000", "nnny"),
            ("9.9.9.9:1023", "nnnn"),
            ("0.0.0.0:4000", "nnnn"),
            ("0.1.2.3:4000", "nnnn"),
            ("224.0.0.1:4000", "nnnn"),
            ("255.255.255.255:4000", "nnnn"),
            ("240.0.0.1:4000", "nnnn"),
            ("[2606:4700::1]:4000", "yyyy"),
            ("[2001:db8::1]:4000", "nyyy"),
            ("[fd00::1]:4000", "nyyy"),
            ("[fe80::1]:4000", "nnyy"),
            ("[::1]:4000", "nnny"),
            ("[::ffff:127.0.0.1]:4000", "nnny"),
            ("[ff02::1]:4000", "nnnn"),
            ("[::]:4000", "nnnn"),
        ];
        for (named, expected) in cases {
            let may =
                |trunk: &str| if media_peer(trunk, named).may_be_sent_to() { "y" } else { "n" };
            assert_eq!(trunks.map(may).concat(), expected, "{named}");
        }
        let mut ours = media_peer("127.0.0.1", "127.0.0.1:4000");
        ours.forbid_port(true);
        assert!(!ours.may_be_sent_to());
    }

    #[test]
    fn hosts_that_say_nothing_share_what_is_sent_to_them() {
        let packet = Duration::from_millis(20);
        let carrier: SocketAddr = "198.51.100.7:4000".parse().unwrap();
        let mut far = media_peer("203.0.113.1", "198.51.100.7:4000");
        far.pass(packet);
        far.hear("198.51.100.8".parse().unwrap());
        far.hear("203.0.113.1".parse().unwrap());
        far.pass(packet);
        assert!(far.may_be_sent_to() && !far.is_given_up());
        far.hear(carrier.ip());
        (0..100).for_each(|_| far.pass(packet));
        assert!(far.may_be_sent_to(), "a host that is heard may be sent to");
        for victim in ["198.51.100.66:5000", "198.51.100.67:5000", "198.51.100.66:5001"] {
            far.rename(victim.parse().unwrap());
            far.pass(packet);
            assert!(!far.may_be_sent_to() && far.is_given_up(), "{victim}");
        }
        far.rename(carrier);
        assert!(far.may_be_sent_to() && !far.is_given_up(), "where it was heard before");
    }

    #[test]
    fn a_host_that_may_not_be_named_is_found_by_its_packets_through_the_trunk() {
        let mut far = media_peer("9.9.9.9", "10.0.0.5:4000");
        let source = PacketOrigin { address: "9.9.9.9:7000".parse().unwrap(), ssrc: 1 };
        assert!(!far.may_be_sent_to());
        let classes: Vec<_> = (0..4).map(|_| far.classify(source)).collect();
        assert_eq!(classes[2..], [PacketSource::Stranger, PacketSource::NewPeer]);
        assert!(far.may_be_sent_to() && far.address() == source.address);
    }
}
