//! One connection to a trunk, kept for all calls.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tracing::debug;

use super::sip_log::{self, Way};
use super::socket::{TransportState, lock};
use crate::dscp;
use crate::sip::framing::{Framer, PING, PONG, Piece};
use crate::sip::trunk::Transport;

/// Our end of one connection. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) local: SocketAddr,
    outgoing: mpsc::Sender<Vec<u8>>,
    closed: watch::Receiver<bool>,
    public: Arc<Mutex<Option<SocketAddr>>>,
}

impl Connection {
    /// Connects, and with TLS verifies the certificate.
    pub(super) async fn open(
        shared: &Arc<TransportState>,
        to: SocketAddr,
        tls: Option<(TlsConnector, ServerName<'static>)>,
    ) -> io::Result<Self> {
        let late = |_| io::Error::from(io::ErrorKind::TimedOut);
        let opened = async {
            let stream = TcpStream::connect(to).await?;
            let ends = ends(&stream, shared.dscp)?;
            match tls {
                None => Ok(Self::carried(shared, stream, Transport::Tcp, ends)),
                Some((connector, name)) => {
                    let stream = connector.connect(name, stream).await?;
                    Ok(Self::carried(shared, stream, Transport::Tls, ends))
                }
            }
        };
        timeout(CONNECT_WAIT, opened).await.map_err(late)?
    }

    /// Takes a connection that a trunk has opened.
    pub(super) fn accepted(shared: &Arc<TransportState>, stream: TcpStream) -> io::Result<Self> {
        let ends = ends(&stream, shared.dscp)?;
        Ok(Self::carried(shared, stream, Transport::Tcp, ends))
    }

    fn carried<S>(
        shared: &Arc<TransportState>,
        stream: S,
        by: Transport,
        (local, peer): (SocketAddr, SocketAddr),
    ) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (outgoing, wanted) = mpsc::channel(QUEUE_MAX);
        let (closing, closed) = watch::channel(false);
        let connection = Self { local, outgoing, closed, public: Arc::default() };
        lock(&shared.connections).insert(peer, connection.clone());
        let carrier =
            StreamReader { shared: shared.clone(), peer, by, public: connection.public.clone() };
        debug!(%peer, "connected");
        tokio::spawn(async move {
            let end = carrier.carry(stream, wanted).await;
            debug!(%peer, end = %end.err().map_or("closed".to_owned(), |error| error.to_string()), "connection over");
            closing.send_replace(true);
            carrier.shared.forget(peer);
        });
        connection
    }

    /// Sends one message.
    ///
    /// Errors: the connection is over, or so slow that it is as good as over.
    pub(super) async fn send(&self, message: Vec<u8>) -> io::Result<()> {
        let gone = |_| io::Error::from(io::ErrorKind::NotConnected);
        let late = |_| io::Error::from(io::ErrorKind::TimedOut);
        timeout(SEND_WAIT, self.outgoing.send(message)).await.map_err(late)?.map_err(gone)
    }

    pub(super) fn is_open(&self) -> bool {
        !*self.closed.borrow()
    }

    /// Waits until it is over.
    pub(super) async fn closed(mut self) {
        let _ = self.closed.wait_for(|closed| *closed).await;
    }

    /// Our address as the far end sees it, once it has said so.
    pub(super) fn public(&self) -> Option<SocketAddr> {
        *lock(&self.public)
    }
}

struct StreamReader {
    shared: Arc<TransportState>,
    peer: SocketAddr,
    by: Transport,
    public: Arc<Mutex<Option<SocketAddr>>>,
}

impl StreamReader {
    /// Carries bytes both ways until one side closes, or the user agent is dropped.
    async fn carry<S>(&self, stream: S, mut wanted: mpsc::Receiver<Vec<u8>>) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (mut reader, mut writer) = tokio::io::split(stream);
        let (mut framer, mut buffer) = (Framer::default(), vec![0; READ_BYTES]);
        let mut alive = self.shared.alive.clone();
        let mut ping_at = Instant::now() + PING_EVERY;
        loop {
            let mut answers = vec![];
            tokio::select! {
                message = wanted.recv() => match message {
                    Some(message) => answers.push(message),
                    None => return Ok(()),
                },
                read = reader.read(&mut buffer) => {
                    let read = read?;
                    if read == 0 {
                        return Ok(());
                    }
                    framer.push(buffer.get(..read).unwrap_or_default());
                    while let Some(piece) = framer.cut().map_err(io::Error::other)? {
                        match piece {
                            Piece::Ping => answers.push(PONG.to_vec()),
                            Piece::Message(message) => answers.extend(self.take(&message)),
                        }
                    }
                }
                () = sleep_until(ping_at) => answers.push(PING.to_vec()),
                () = super::socket::gone(&mut alive) => return Ok(()),
            }
            for answer in answers {
                ping_at = Instant::now() + PING_EVERY;
                sip_log::show(Way::Sent, self.peer, self.by, &answer);
                let late = |_| io::Error::from(io::ErrorKind::TimedOut);
                timeout(SEND_WAIT, writer.write_all(&answer)).await.map_err(late)??;
            }
            timeout(SEND_WAIT, writer.flush()).await.map_err(|_| io::ErrorKind::TimedOut)??;
        }
    }

    fn take(&self, message: &[u8]) -> Option<Vec<u8>> {
        let taken = self.shared.take(message, self.peer, self.by)?;
        if let Some(public) = taken.seen_from {
            *lock(&self.public) = Some(public);
        }
        taken.answer
    }
}

/// Both addresses of a connection, on which small messages leave at once from now on, and on which a far end that
/// is gone is noticed also while no call is made.
fn ends(stream: &TcpStream, dscp: u8) -> io::Result<(SocketAddr, SocketAddr)> {
    let keepalive = TcpKeepalive::new().with_time(PING_EVERY).with_interval(SEND_WAIT);
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_tcp_keepalive(&keepalive)?;
    if let Err(error) = dscp::mark(&SockRef::from(stream), dscp) {
        debug!(%error, "connection not marked for the network");
    }
    Ok((stream.local_addr()?, stream.peer_addr()?))
}

/// How long a trunk may take to accept a connection, TLS included.
pub(super) const CONNECT_WAIT: Duration = Duration::from_secs(4);
const SEND_WAIT: Duration = Duration::from_secs(5);
/// NAT forgets a silent connection after minutes at best.
const PING_EVERY: Duration = Duration::from_secs(60);
const QUEUE_MAX: usize = 256;
const READ_BYTES: usize = 8192;
