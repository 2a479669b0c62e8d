//! How the network is asked to treat what a socket sends.

use socket2::SockRef;
use std::io;

/// Marks all that this socket sends with a code point, 0 to 63.
///
/// Errors: the system does not allow it; the packets go out unmarked then.
/// Source: RFC 2474 §3 (the six upper bits of the octet).
pub fn mark(socket: &SockRef<'_>, dscp: u8) -> io::Result<()> {
    let octet = u32::from(dscp) << 2;
    if socket.local_addr()?.is_ipv6() {
        socket.set_tclass_v6(octet)
    } else {
        socket.set_tos_v4(octet)
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn the_code_point_stands_in_the_upper_six_bits() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        mark(&SockRef::from(&socket), 46).unwrap();
        assert_eq!(SockRef::from(&socket).tos_v4().unwrap(), 0xb8);
        let Ok(socket) = UdpSocket::bind("[::1]:0") else { return };
        mark(&SockRef::from(&socket), 24).unwrap();
        assert_eq!(SockRef::from(&socket).tclass_v6().unwrap(), 0x60);
    }
}
