//! Recordings over HTTP: whoever knows a link gets what is behind it, until it expires. Edge.

mod answer;
mod link;
mod range;
mod request;
mod source;

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, sleep_until, timeout};
use tracing::{debug, trace, warn};

use crate::clock::now;
use crate::redaction::Pii;
use answer::Answer;
pub use link::link;
use request::Wanted;
use source::Sources;

/// The server. It goes with its handle; [`Server::stop`] is the polite way.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    life: JoinHandle<()>,
}

impl Server {
    /// Listens, and answers from `shelf`.
    ///
    /// Contract: speaks plain HTTP; what stands before it speaks TLS. A loopback peer is that proxy, and the last
    ///           entry of its `X-Forwarded-For` is who asks.
    /// Errors:   [`HttpError::Listen`].
    pub async fn start(
        listen: SocketAddr,
        shelf: Shelf,
        limits: Limits,
    ) -> Result<Self, HttpError> {
        let failed = |error| HttpError::Listen(listen, error);
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (stop, stopping) = watch::channel(false);
        let counter = Arc::new(Counter {
            shelf,
            downloads: Arc::new(Semaphore::new(limits.downloads_max)),
            sources: Mutex::new(Sources::new(limits.requests_per_s, limits.requests_burst)),
            limits,
        });
        let life = tokio::spawn(counter.open(listener, stopping));
        Ok(Self { address, stop, life })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests; downloads that run have two seconds to end.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if self.life.await.is_err() {
            warn!("the HTTP server ended by a fault of its own");
        }
    }
}

/// Where the recordings are: asked by token, it gives what may be downloaded now, and nothing for what expired.
pub type Shelf = Arc<dyn Fn(String) -> BoxFuture<'static, Option<File>> + Send + Sync>;

/// What is behind a link.
#[derive(Clone, Debug)]
pub struct File {
    /// All of it.
    pub bytes: Bytes,
    /// As in `Content-Type`.
    pub media_type: &'static str,
    /// As at the end of the link.
    pub file_name: String,
}

/// How much the server does at once, and how long it waits.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; the next ones wait in the system's queue.
    pub connections_max: usize,
    /// Files in memory at once.
    pub downloads_max: usize,
    /// From the connection to the end of the request's head.
    pub head: Duration,
    /// From the connection to its end: a reader who needs longer is cut off.
    pub answer: Duration,
    /// From a request to its refusal, so that none is told faster than another.
    pub refusal: Duration,
    /// Requests of one source, an IPv4 address or an IPv6 /64, in the long run.
    pub requests_per_s: u32,
    /// Requests of one source at once.
    pub requests_burst: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 256,
            downloads_max: 32,
            head: Duration::from_secs(10),
            answer: Duration::from_secs(300),
            refusal: Duration::from_millis(50),
            requests_per_s: 20,
            requests_burst: 60,
        }
    }
}

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is taken or not ours.
    #[error("cannot listen for HTTP on {0}: {1}; change listen in [http]")]
    Listen(SocketAddr, #[source] io::Error),
}

/// What all connections share.
struct Counter {
    shelf: Shelf,
    downloads: Arc<Semaphore>,
    sources: Mutex<Sources>,
    limits: Limits,
}

impl Counter {
    async fn open(self: Arc<Self>, listener: TcpListener, mut stopping: watch::Receiver<bool>) {
        let mut visitors = JoinSet::new();
        loop {
            let has_room = visitors.len() < self.limits.connections_max;
            let accepted = tokio::select! {
                _ = stopping.wait_for(|asked| *asked) => break,
                Some(_) = visitors.join_next() => continue,
                accepted = listener.accept(), if has_room => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    visitors.spawn(self.clone().attend(stream, peer.ip(), stopping.clone()));
                }
                Err(error) => {
                    debug!(%error, "HTTP connection not taken");
                    sleep(ACCEPT_PAUSE).await; // Out of file descriptors: it would fail at once again.
                }
            }
        }
        drop(listener);
        let all = async { while visitors.join_next().await.is_some() {} };
        if timeout(STOP_WAIT, all).await.is_err() {
            debug!("downloads were cut off by the end of the program");
        }
    }

    /// One connection, which is one request.
    async fn attend(
        self: Arc<Self>,
        stream: TcpStream,
        peer: IpAddr,
        mut stopping: watch::Receiver<bool>,
    ) {
        let limit = self.limits.answer;
        let mut protocol = http1::Builder::new();
        protocol
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head)
            .max_buf_size(HEAD_BYTES_MAX)
            .keep_alive(false);
        let answers =
            service_fn(|request| async { Ok::<_, Infallible>(self.answer(request, peer).await) });
        let connection = protocol.serve_connection(TokioIo::new(stream), answers);
        let served = timeout(limit, async {
            let mut connection = pin!(connection);
            tokio::select! {
                served = connection.as_mut() => return served,
                _ = stopping.wait_for(|asked| *asked) => {}
            }
            connection.as_mut().graceful_shutdown();
            connection.await
        });
        match served.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!(%error, "HTTP connection broke"),
            Err(_) => debug!("HTTP connection took too long and was cut"),
        }
    }

    async fn answer(&self, request: Request<Incoming>, peer: IpAddr) -> Answer {
        let arrived = now();
        let source = source::of(peer, request.headers());
        let has_body = !request.body().is_end_stream();
        let answer = if !lock(&self.sources).allows(source, arrived) {
            answer::small(StatusCode::TOO_MANY_REQUESTS)
        } else {
            match request::wanted(request.method(), request.uri(), has_body) {
                Wanted::Health => answer::small(StatusCode::OK),
                Wanted::OtherMethod => answer::small(StatusCode::METHOD_NOT_ALLOWED),
                Wanted::ToSend => answer::small(StatusCode::PAYLOAD_TOO_LARGE),
                Wanted::Nothing => answer::small(StatusCode::NOT_FOUND),
                Wanted::File { token, name } => self.download(&request, token, &name).await,
            }
        };
        if answer.status() == StatusCode::NOT_FOUND {
            sleep_until((arrived + self.limits.refusal).into()).await;
        }
        let path = Pii(request.uri().path());
        if answer.status().is_client_error() || answer.status().is_server_error() {
            debug!(status = answer.status().as_u16(), "HTTP request refused");
        }
        trace!(source = %Pii(peer), %path, status = answer.status().as_u16(), "HTTP answered");
        answer
    }

    async fn download(&self, request: &Request<Incoming>, token: String, name: &str) -> Answer {
        let place = timeout(PLACE_WAIT, self.downloads.clone().acquire_owned());
        let Ok(Ok(place)) = place.await else {
            return answer::small(StatusCode::SERVICE_UNAVAILABLE);
        };
        match (self.shelf)(token).await {
            Some(file) if file.file_name == name => answer::file(file, request, place),
            Some(_) | None => answer::small(StatusCode::NOT_FOUND),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The request line and the header lines.
const HEAD_BYTES_MAX: usize = 8192;
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const PLACE_WAIT: Duration = Duration::from_secs(10);
const STOP_WAIT: Duration = Duration::from_secs(2);
