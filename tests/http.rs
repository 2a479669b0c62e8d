//! The HTTP server, as clients, players and guessers find it.

#![allow(clippy::unwrap_used)] // A test stops where it fails.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use offhook::http::{File, FileSource, HttpError, HttpLimits, Server, link};
use offhook::seed::Seed;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

#[tokio::test]
async fn a_link_gives_the_file_with_all_that_a_player_wants_to_know() {
    let shop = Shop::open(quick()).await;
    let got = shop.get("").await;
    assert_eq!(got.status, 200);
    assert_eq!(got.body, recording());
    let expected = [
        ("content-type", "audio/mpeg"),
        ("content-length", "100000"),
        ("content-disposition", "inline; filename=\"voice-answer.mp3\""),
        ("accept-ranges", "bytes"),
        ("access-control-allow-origin", "*"),
        ("cache-control", "private, no-store"),
        ("connection", "close"),
        (
            "content-security-policy",
            "default-src 'none'; media-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    ];
    for (name, value) in expected {
        assert_eq!(got.header(name), Some(value), "{name}");
    }
    assert_eq!(got.names().len(), expected.len() + 1, "and the date: {:?}", got.names());

    let head = shop.ask(&format!("HEAD {} HTTP/1.1\r\nHost: x\r\n\r\n", shop.path)).await;
    assert_eq!(head.body, b"");
    assert_eq!((head.status, head.headers), (200, got.headers));
}

#[tokio::test]
async fn a_player_gets_the_part_it_asks_for() {
    let shop = Shop::open(quick()).await;
    let whole = recording();
    let cases = [
        ("bytes=0-", 206, Some("bytes 0-99999/100000"), &whole[..]),
        ("bytes=0-1", 206, Some("bytes 0-1/100000"), &whole[..2]),
        ("bytes=99990-200000", 206, Some("bytes 99990-99999/100000"), &whole[99_990..]),
        ("bytes=-5", 206, Some("bytes 99995-99999/100000"), &whole[99_995..]),
        ("bytes=100000-", 416, Some("bytes */100000"), b"no"),
        ("bytes=1-0", 200, None, &whole[..]),
        ("bytes=0-1,3-4", 200, None, &whole[..]),
    ];
    for (range, status, content_range, body) in cases {
        let got = shop.get(&format!("Range: {range}\r\n")).await;
        assert_eq!(got.status, status, "{range}");
        assert_eq!(got.header("content-range"), content_range, "{range}");
        assert_eq!(got.header("content-length"), Some(&*body.len().to_string()), "{range}");
        assert!(got.body == body, "{range}");
    }
    let changed = shop.get("Range: bytes=0-1\r\nIf-Range: \"old\"\r\n").await;
    assert_eq!((changed.status, changed.body.len()), (200, whole.len()));
    let head = format!("HEAD {} HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1\r\n\r\n", shop.path);
    assert_eq!(shop.ask(&head).await.status, 200, "a range is for GET");
}

#[tokio::test]
async fn a_chat_client_downloads_whole_and_resumes() {
    let shop = Shop::open(quick()).await;
    let url = link(&format!("http://{}/", shop.server.address()), &shop.token, "voice-answer.mp3");
    let cases: [(&[&str], &[u8]); 4] = [
        (&["-H", "Accept: */*", "-H", "Accept-Encoding: gzip, br"], &recording()),
        (&["--http1.0", "--compressed"], &recording()),
        (&["--continue-at", "99000"], &recording()[99_000..]),
        (&["--head", "--output", "/dev/null", "--write-out", "%{content_type}"], b"audio/mpeg"),
    ];
    for (arguments, expected) in cases {
        let (url, arguments) = (url.clone(), arguments.iter().map(|a| (*a).to_owned()));
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail", "--max-time", "20"]).args(arguments);
        let told = tokio::task::spawn_blocking(move || curl.arg(url).output()).await.unwrap();
        let told = told.unwrap();
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        assert!(told.stdout == expected);
    }
}

#[tokio::test]
async fn a_thousand_guesses_learn_nothing() {
    let shop = Shop::open(quick()).await;
    let expired = shop.fetch(&format!("/r/{}/voice-answer.mp3", shop.expired)).await;
    assert_eq!((expired.status, &*expired.body), (404, &b"no"[..]));
    let mut seed = Seed::fixed(99);
    let mut near: Vec<String> = (0..1000)
        .map(|n| match n % 5 {
            0 => format!("/r/{}/voice-answer.mp3", &shop.token[..n % 26]),
            1 => format!("/r/{}/voice-answer.mp3", seed.token()),
            2 => format!(
                "/r/{}{}/voice-answer.mp3",
                &shop.token[..25],
                char::from(b'a' + n as u8 % 26)
            ),
            3 => format!("/r/{}/voice-answer{n}.mp3", shop.token),
            _ => format!("/{n}"),
        })
        .collect();
    near.retain(|guess| *guess != shop.path);
    near.extend(["/".into(), "/r/".into(), format!("{}?", shop.path), format!("{}/", shop.path)]);
    for guess in near {
        let got = shop.fetch(&guess).await;
        assert_eq!(got.without_date(), expired.without_date(), "{guess}");
    }
}

#[tokio::test]
async fn what_cannot_be_a_link_is_refused_without_a_look_at_the_shelf() {
    let shop = Shop::open(quick()).await;
    let token = &shop.token;
    for path in [
        "/".to_owned(),
        format!("/r/{token}"),
        format!("/r/{}/a", &token[1..]),
        format!("/r/{}/a", token.to_uppercase()),
        format!("/r/{token}x/a"),
        format!("/r/../r/{token}/a"),
        format!("{}?token={token}", shop.path),
    ] {
        assert_eq!(shop.fetch(&path).await.status, 404, "{path}");
    }
    assert_eq!(shop.asked.load(Ordering::Relaxed), 0);
    assert_eq!(shop.get("").await.status, 200);
    assert_eq!(shop.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn the_server_takes_nothing_and_does_nothing_but_give() {
    let shop = Shop::open(quick()).await;
    let path = &shop.path;
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
        for path in [path, "/", "/health"] {
            let got = shop.ask(&format!("{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
            assert_eq!((got.status, got.header("allow")), (405, Some("GET, HEAD")), "{method}");
        }
    }
    for body in
        ["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"]
    {
        let got = shop.ask(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n{body}")).await;
        assert_eq!(got.status, 413);
    }
    assert_eq!(shop.asked.load(Ordering::Relaxed), 0);
    let health = shop.fetch("/health").await;
    assert_eq!((health.status, &*health.body), (200, &b"ok"[..]));
}

#[tokio::test]
async fn nonsense_is_answered_with_an_error_or_nothing_and_stops_nobody() {
    let shop = Shop::open(quick()).await;
    let path = &shop.path;
    let cases: [(&str, String); 9] = [
        ("not HTTP", "\0\x01\x02\x16\x03\x01 hello\r\n\r\n".into()),
        ("HTTP/0.9", format!("GET {path}\r\n\r\n")),
        ("HTTP/2 straight away", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into()),
        ("a header without a colon", format!("GET {path} HTTP/1.1\r\nnonsense\r\n\r\n")),
        (
            "a header of 100 kB",
            format!("GET {path} HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(100_000)),
        ),
        ("a path of 100 kB", format!("GET /r/{} HTTP/1.1\r\n\r\n", "x".repeat(100_000))),
        ("300 headers", format!("GET {path} HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(300))),
        (
            "two lengths",
            format!("GET {path} HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"),
        ),
        (
            "a huge length",
            format!("GET {path} HTTP/1.1\r\nContent-Length: {}\r\n\r\n", "9".repeat(40)),
        ),
    ];
    for (what, request) in cases {
        let got = shop.say(request.as_bytes()).await;
        let status = String::from_utf8_lossy(&got[..got.len().min(12)]).into_owned();
        let refused = ["", "HTTP/1.1 400", "HTTP/1.1 414", "HTTP/1.1 431"];
        assert!(refused.contains(&status.as_str()), "{what}: {status}");
    }
    assert_eq!(shop.asked.load(Ordering::Relaxed), 0);
    assert_eq!(shop.get("").await.body, recording());
}

#[tokio::test]
async fn a_thousand_spoiled_requests_stop_nobody() {
    let shop = Shop::open(HttpLimits { head: Duration::from_millis(200), ..quick() }).await;
    let good = format!(
        "GET {} HTTP/1.1\r\nHost: x\r\nRange: bytes=5-9\r\nX-Forwarded-For: ::1\r\n\r\n",
        shop.path
    );
    let mut seed = Seed::fixed(7);
    let mut answered = 0;
    for round in 0..1000 {
        let mut spoiled = good.clone().into_bytes();
        for _ in 0..=seed.below(4) {
            let place = seed.below(spoiled.len() as u64 - 2) as usize;
            match seed.below(3) {
                0 => spoiled[place] = seed.below(256) as u8,
                1 => drop(spoiled.remove(place)),
                _ => spoiled.insert(place, seed.below(256) as u8),
            }
        }
        let got = shop.say(&spoiled).await;
        let whole = recording();
        if got.starts_with(b"HTTP/1.1 2") {
            let body = Reply::read(&got).body;
            assert!(whole.windows(body.len().max(1)).any(|part| part == body), "round {round}");
            answered += 1;
        }
    }
    assert!((50..950).contains(&answered), "{answered}");
    assert_eq!(shop.get("").await.body, recording());
}

#[tokio::test]
async fn who_does_not_end_his_request_is_let_go_and_makes_room() {
    let limits = HttpLimits { connections_max: 20, head: Duration::from_millis(300), ..quick() };
    let shop = Shop::open(limits).await;
    let mut idlers = vec![];
    for n in 0..20 {
        let mut idler = shop.connect().await;
        idler.write_all(&b"GET / HTTP/1.1\r\nX"[..n % 17]).await.unwrap();
        idlers.push(idler);
    }
    let mut trickle = shop.connect().await;
    let trickling = tokio::spawn(async move {
        while trickle.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert_eq!(shop.get("").await.body, recording());
    for mut idler in idlers {
        let mut rest = vec![];
        let _reset_or_end = timeout(PATIENCE, idler.read_to_end(&mut rest)).await.unwrap();
    }
    timeout(PATIENCE, trickling).await.unwrap().unwrap();
}

#[tokio::test]
async fn one_source_cannot_take_all_connections() {
    let limits =
        HttpLimits { connections_max: 20, connections_of_proxy_max: 4, head: PATIENCE, ..quick() };
    let shop = Shop::open(limits).await;
    let mut idlers = vec![];
    for _ in 0..40 {
        let from = TcpSocket::new_v4().unwrap();
        from.bind("127.0.0.9:0".parse().unwrap()).unwrap();
        let mut idler = from.connect(shop.server.address()).await.unwrap();
        // One that is closed already cannot be written to.
        let _closed = idler.write_all(b"GET / HTTP/1.1\r\nX").await;
        idlers.push(idler);
    }
    assert_eq!(shop.get("").await.body, recording(), "somebody else is served at once");
    for mut idler in idlers.drain(4..) {
        let mut rest = vec![];
        let _reset_or_end = timeout(PATIENCE, idler.read_to_end(&mut rest)).await.unwrap();
        assert_eq!(rest, b"", "the fifth is closed without a word");
    }
    drop(idlers);
    let from = TcpSocket::new_v4().unwrap();
    from.bind("127.0.0.9:0".parse().unwrap()).unwrap();
    let mut again = from.connect(shop.server.address()).await.unwrap();
    let request = format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", shop.path);
    again.write_all(request.as_bytes()).await.unwrap();
    let mut first = [0; 8];
    timeout(PATIENCE, again.read_exact(&mut first)).await.unwrap().unwrap();
    assert_eq!(&first, b"HTTP/1.1", "who has left makes room");
}

#[tokio::test]
async fn who_does_not_read_is_cut_off_and_makes_room() {
    let limits = HttpLimits { downloads_max: 1, answer: Duration::from_millis(500), ..quick() };
    let shop = Shop::open(limits).await;
    let mut sleeper = shop.connect().await;
    let request = format!("GET /r/{}/long.wav HTTP/1.1\r\nHost: x\r\n\r\n", shop.long);
    sleeper.write_all(request.as_bytes()).await.unwrap();
    sleeper.readable().await.unwrap();
    assert_eq!(shop.get("").await.body, recording(), "the only place was given back");
    let mut got = vec![];
    let _reset_or_end = timeout(PATIENCE, sleeper.read_to_end(&mut got)).await.unwrap();
    assert!(got.len() < LONG_BYTES, "{}", got.len());
}

#[tokio::test]
async fn many_at_once_all_get_theirs() {
    let limits = HttpLimits { connections_max: 50, downloads_max: 5, ..quick() };
    let shop = Arc::new(Shop::open(limits).await);
    let mut clients = JoinSet::new();
    for _ in 0..300 {
        let shop = shop.clone();
        clients.spawn(async move { shop.get("").await.body == recording() });
    }
    assert_eq!(clients.join_all().await, [true; 300]);
}

#[tokio::test]
async fn who_asks_too_often_is_told_so_whatever_he_asks_for() {
    let shop = Shop::open(HttpLimits { requests_per_s: 1, requests_burst: 5, ..quick() }).await;
    let mut told = vec![];
    for path in [&shop.path, "/", "/health", &shop.path, "/x", &shop.path, "/", "/health"] {
        told.push(shop.fetch(path).await);
    }
    let statuses: Vec<u16> = told.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [200, 404, 200, 200, 404, 429, 429, 429]);
    assert_eq!(told[5].without_date(), told[6].without_date());
    let other = shop.get("X-Forwarded-For: 192.0.2.1\r\n").await;
    assert_eq!(other.status, 200, "a proxy on this machine speaks for many");
}

#[tokio::test]
async fn a_download_that_runs_ends_before_the_server_does() {
    let shop = Shop::open(quick()).await;
    let mut client = shop.connect().await;
    let request = format!("GET /r/{}/long.wav HTTP/1.1\r\nHost: x\r\n\r\n", shop.long);
    client.write_all(request.as_bytes()).await.unwrap();
    client.readable().await.unwrap();
    let address = shop.server.address();
    let reading = tokio::spawn(async move {
        let mut got = vec![];
        client.read_to_end(&mut got).await.map(|_| got.len())
    });
    timeout(PATIENCE, shop.server.stop()).await.unwrap();
    assert!(reading.await.unwrap().unwrap() > LONG_BYTES);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_taken_address_is_told_with_what_to_change() {
    let shop = Shop::open(quick()).await;
    let error: HttpError =
        Server::start(shop.server.address(), shelf_of(vec![]), quick()).await.unwrap_err();
    assert!(error.to_string().ends_with("change listen in [http]"), "{error}");
}

#[tokio::test]
async fn no_log_tells_a_link_or_who_used_it() {
    let limits = HttpLimits { answer: Duration::from_millis(300), ..quick() };
    let shop = Shop::open(limits).await;
    shop.get("X-Forwarded-For: 192.0.2.1\r\n").await;
    shop.fetch(&format!("/r/{}/voice-answer.mp3", shop.expired)).await;
    shop.say(format!("GET {} HTTP/1.1\r\nnonsense\r\n\r\n", shop.path).as_bytes()).await;
    let mut sleeper = shop.connect().await;
    sleeper.write_all(format!("GET {}", shop.path).as_bytes()).await.unwrap();
    let _reset_or_end = timeout(PATIENCE, sleeper.read_to_end(&mut vec![])).await.unwrap();
    shop.server.stop().await;
    let log = String::from_utf8(Log::of_all_tests().0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("HTTP connection broke") && log.contains("was cut"), "{log}");
    for secret in [&*shop.token, &*shop.expired, "192.0.2.1", "127.0.0.1", "voice-answer"] {
        assert!(!log.contains(secret), "{log}");
    }
}

/// A server with one short recording, a long one, and one that has expired.
struct Shop {
    server: Server,
    token: String,
    long: String,
    expired: String,
    /// The short recording's.
    path: String,
    /// How often the shelf was asked.
    asked: Arc<AtomicUsize>,
}

impl Shop {
    async fn open(limits: HttpLimits) -> Self {
        Log::of_all_tests();
        let mut seed = Seed::fixed(5);
        let (token, long, expired) = (seed.token(), seed.token(), seed.token());
        let files = vec![
            (token.clone(), file(recording(), "audio/mpeg", "voice-answer.mp3")),
            (long.clone(), file(vec![0; LONG_BYTES], "audio/wav", "long.wav")),
        ];
        let (asked, inner) = (Arc::new(AtomicUsize::new(0)), shelf_of(files));
        let counted = asked.clone();
        let shelf: FileSource = Arc::new(move |token| {
            counted.fetch_add(1, Ordering::Relaxed);
            inner(token)
        });
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = Server::start(anywhere, shelf, limits).await.unwrap();
        let path = link("", &token, "voice-answer.mp3");
        Self { server, token, long, expired, path, asked }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.server.address()).await.unwrap()
    }

    /// Says this and listens to the end.
    async fn say(&self, octets: &[u8]) -> Vec<u8> {
        let (mut reading, mut writing) = self.connect().await.into_split();
        let mut got = vec![];
        // Whoever is refused in mid-sentence sees a reset.
        let (_, read) = tokio::join!(writing.write_all(octets), async {
            timeout(PATIENCE, reading.read_to_end(&mut got)).await
        });
        let _reset_or_end = read.unwrap();
        got
    }

    async fn ask(&self, request: &str) -> Reply {
        Reply::read(&self.say(request.as_bytes()).await)
    }

    async fn fetch(&self, path: &str) -> Reply {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await
    }

    /// Downloads the short recording.
    async fn get(&self, headers: &str) -> Reply {
        self.ask(&format!("GET {} HTTP/1.1\r\nHost: x\r\n{headers}\r\n", self.path)).await
    }
}

struct Reply {
    status: u16,
    /// Names and values, without the date.
    headers: Vec<(String, String)>,
    date: Option<String>,
    body: Vec<u8>,
    all: Vec<u8>,
}

impl Reply {
    fn read(octets: &[u8]) -> Self {
        let end = octets.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(octets[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let date = headers.iter().position(|(name, _)| name == "date");
        let date = date.map(|place| headers.remove(place).1);
        Self { status, headers, date, body: octets[end + 4..].to_vec(), all: octets.to_vec() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    fn names(&self) -> Vec<&str> {
        let date = self.date.iter().map(|_| "date");
        self.headers.iter().map(|(name, _)| name.as_str()).chain(date).collect()
    }

    /// Every octet but those that tell the time.
    fn without_date(&self) -> String {
        String::from_utf8(self.all.clone()).unwrap().replace(self.date.as_deref().unwrap(), "")
    }
}

/// All that is logged above TRACE while the tests run.
#[derive(Default)]
struct Log(Mutex<Vec<u8>>);

impl Log {
    fn of_all_tests() -> &'static Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        LOG.get_or_init(|| {
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(tracing::Level::DEBUG)
                .with_writer(Self::of_all_tests)
                .finish();
            tracing::subscriber::set_global_default(subscriber).unwrap();
            Self::default()
        })
    }
}

impl Write for &Log {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn shelf_of(files: Vec<(String, File)>) -> FileSource {
    let files = Arc::new(files);
    Arc::new(move |token| {
        let files = files.clone();
        Box::pin(async move {
            files.iter().find(|(known, _)| *known == token).map(|(_, file)| file.clone())
        })
    })
}

fn file(octets: Vec<u8>, media_type: &'static str, name: &str) -> File {
    File { bytes: octets.into(), media_type, file_name: name.into() }
}

fn recording() -> Vec<u8> {
    (0..100_000_u32).map(|n| (n.wrapping_mul(n) >> 3) as u8).collect()
}

/// HttpLimits that no test meets unless it sets them.
fn quick() -> HttpLimits {
    HttpLimits {
        refusal: Duration::from_millis(1),
        requests_per_s: 100_000,
        requests_burst: 100_000,
        ..HttpLimits::default()
    }
}

/// More than the system keeps for a reader who does not read.
const LONG_BYTES: usize = 30_000_000;
const PATIENCE: Duration = Duration::from_secs(20);
