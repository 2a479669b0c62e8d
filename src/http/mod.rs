//! Serves recordings over HTTP: a link gives its file until it expires. Edge.

mod client_address;
mod link;
mod page;
mod range;
mod request;
mod response;
mod sources;

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
use crate::rate_limit::RateLimit;
use crate::redaction::Pii;
pub use link::link;
pub use page::{Asker, Page, PageAnswer, PageSource};
use request::FileRequest;
use response::HttpResponse;
use sources::Sources;

/// The server. Dropping it ends the server at once; [`Server::stop`] lets downloads end.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    /// Listens, and serves the files of `source`.
    ///
    /// Contract: speaks plain HTTP; a reverse proxy speaks TLS. A peer on the loopback is that proxy, and the last
    ///           entry of its `X-Forwarded-For` is the client.
    /// Errors:   [`HttpError::Listen`].
    pub async fn start(
        listen: SocketAddr,
        source: FileSource,
        limits: HttpLimits,
    ) -> Result<Self, HttpError> {
        Self::start_with_pages(listen, source, None, limits).await
    }

    /// As [`Server::start`], and shows the pages of `pages`. Without them `/health` says that the server lives.
    pub async fn start_with_pages(
        listen: SocketAddr,
        source: FileSource,
        pages: Option<PageSource>,
        limits: HttpLimits,
    ) -> Result<Self, HttpError> {
        let failed = |error| HttpError::Listen(listen, error);
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (stop, stopping) = watch::channel(false);
        let interval = Duration::from_secs(1) / limits.requests_per_s.max(1);
        let state = Arc::new(ServerState {
            source,
            pages,
            downloads: Arc::new(Semaphore::new(limits.downloads_max)),
            clients: Mutex::new(RateLimit::new(limits.requests_burst, interval, CLIENTS_MAX)),
            limits,
        });
        let task = tokio::spawn(state.serve(listener, stopping));
        Ok(Self { address, stop, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns when the server has ended, however it did.
    pub async fn ended(&self) {
        self.stop.closed().await;
    }

    /// Accepts no more requests; running downloads have two seconds to end.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if self.task.await.is_err() {
            warn!("HTTP server panicked");
        }
    }
}

/// Gives the file of a token; `None` if there is none, or if it has expired.
pub type FileSource = Arc<dyn Fn(String) -> BoxFuture<'static, Option<File>> + Send + Sync>;

/// A file that is served.
#[derive(Clone, Debug)]
pub struct File {
    /// Its octets.
    pub bytes: Bytes,
    /// As in `Content-Type`.
    pub media_type: &'static str,
    /// As at the end of the link.
    pub file_name: String,
}

/// Limits of the server.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// Connections at once; the next ones wait in the system's queue.
    pub connections_max: usize,
    /// Connections of one source at once: an IPv4 address or an IPv6 /64. Further ones are closed.
    pub connections_of_source_max: usize,
    /// The same for a peer on this machine: a reverse proxy, which speaks for many.
    pub connections_of_proxy_max: usize,
    /// Files in memory at once.
    pub downloads_max: usize,
    /// From the connection to the end of the request's head.
    pub head: Duration,
    /// From the connection to its end; a slower client is cut off.
    pub answer: Duration,
    /// From a request to its refusal, so that the time tells nothing about the path.
    pub refusal: Duration,
    /// Requests of one client, an IPv4 address or an IPv6 /64, in the long run.
    pub requests_per_s: u32,
    /// Requests of one client at once.
    pub requests_burst: u32,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            connections_max: 256,
            connections_of_source_max: 8,
            connections_of_proxy_max: 256,
            downloads_max: 32,
            head: Duration::from_secs(5),
            answer: Duration::from_secs(300),
            refusal: Duration::from_millis(50),
            requests_per_s: 20,
            requests_burst: 60,
        }
    }
}

impl HttpLimits {
    fn connections_of(&self, peer: IpAddr) -> usize {
        match peer.to_canonical().is_loopback() {
            true => self.connections_of_proxy_max,
            false => self.connections_of_source_max,
        }
    }
}

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is in use, or no address of this machine.
    #[error("cannot listen for HTTP on {0}: {1}; change listen in [http]")]
    Listen(SocketAddr, #[source] io::Error),
}

/// What all connections share.
struct ServerState {
    source: FileSource,
    pages: Option<PageSource>,
    downloads: Arc<Semaphore>,
    clients: Mutex<RateLimit<IpAddr>>,
    limits: HttpLimits,
}

impl ServerState {
    async fn serve(self: Arc<Self>, listener: TcpListener, mut stopping: watch::Receiver<bool>) {
        let (mut connections, sources) = (JoinSet::new(), Sources::default());
        loop {
            let has_room = connections.len() < self.limits.connections_max;
            let accepted = tokio::select! {
                _ = stopping.wait_for(|asked| *asked) => break,
                Some(_) = connections.join_next() => continue,
                accepted = listener.accept(), if has_room => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let peer = peer.ip();
                    let Some(slot) = sources.take(peer, self.limits.connections_of(peer)) else {
                        debug!("HTTP connection closed: its source has too many");
                        continue;
                    };
                    let served = self.clone().serve_connection(stream, peer, stopping.clone());
                    connections.spawn(async move {
                        served.await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    debug!(%error, "HTTP connection not accepted");
                    sleep(ACCEPT_PAUSE).await; // Out of file descriptors: it would fail at once again.
                }
            }
        }
        drop(listener);
        let all = async { while connections.join_next().await.is_some() {} };
        if timeout(STOP_WAIT, all).await.is_err() {
            debug!("downloads cut off at shutdown");
        }
    }

    /// Serves one connection, which carries one request.
    async fn serve_connection(
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

    async fn answer(&self, request: Request<Incoming>, peer: IpAddr) -> HttpResponse {
        let arrived = now();
        let client = client_address::address(peer, request.headers());
        let has_body = !request.body().is_end_stream();
        let answer = if !lock(&self.clients).allows(&client, arrived) {
            response::small(StatusCode::TOO_MANY_REQUESTS)
        } else {
            match request::read(request.method(), request.uri(), has_body) {
                FileRequest::Page(page) => self.page(page, &request, peer).await,
                FileRequest::OtherMethod => response::small(StatusCode::METHOD_NOT_ALLOWED),
                FileRequest::HasBody => response::small(StatusCode::PAYLOAD_TOO_LARGE),
                FileRequest::NotFound => response::small(StatusCode::NOT_FOUND),
                FileRequest::File { token, name } => self.download(&request, token, &name).await,
            }
        };
        if answer.status() == StatusCode::NOT_FOUND {
            sleep_until((arrived + self.limits.refusal).into()).await;
        }
        let path = Pii(request.uri().path());
        if answer.status().is_client_error() || answer.status().is_server_error() {
            debug!(status = answer.status().as_u16(), "HTTP request refused");
        }
        trace!(client = %Pii(client), %path, status = answer.status().as_u16(), "HTTP answered");
        answer
    }

    async fn page(&self, page: Page, request: &Request<Incoming>, peer: IpAddr) -> HttpResponse {
        let Some(pages) = &self.pages else {
            return response::small(match page {
                Page::Health => StatusCode::OK,
                Page::Metrics => StatusCode::NOT_FOUND,
            });
        };
        match pages(page, Asker::read(peer, request.headers())).await {
            Some(answer) => response::page(answer),
            None => response::small(StatusCode::UNAUTHORIZED),
        }
    }

    async fn download(
        &self,
        request: &Request<Incoming>,
        token: String,
        name: &str,
    ) -> HttpResponse {
        let permit = timeout(PERMIT_WAIT, self.downloads.clone().acquire_owned());
        let Ok(Ok(permit)) = permit.await else {
            return response::small(StatusCode::SERVICE_UNAVAILABLE);
        };
        match (self.source)(token).await {
            Some(file) if file.file_name == name => response::file(file, request, permit),
            Some(_) | None => response::small(StatusCode::NOT_FOUND),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The request line and the header lines.
const HEAD_BYTES_MAX: usize = 8192;
/// Clients whose requests are counted.
const CLIENTS_MAX: usize = 4096;
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const PERMIT_WAIT: Duration = Duration::from_secs(10);
const STOP_WAIT: Duration = Duration::from_secs(2);
