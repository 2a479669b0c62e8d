//! Building answers.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use percent_encoding::utf8_percent_encode;
use tokio::sync::OwnedSemaphorePermit;

use super::File;
use super::link::ESCAPED;
use super::page::{PageAnswer, PageStatus};
use super::range::{ByteRange, part};

/// An answer with all its octets.
pub(super) type HttpResponse = Response<Full<Bytes>>;

/// An answer that is the same for everyone: a status and a word.
pub(super) fn small(status: StatusCode) -> HttpResponse {
    let says = if status == StatusCode::OK { "ok" } else { "no" };
    let mut answer = with(status, Bytes::from_static(says.as_bytes()));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        StatusCode::UNAUTHORIZED => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        _ => {}
    }
    answer
}

/// Asks a browser for the token, as the password of any user.
///
/// Source: RFC 7617 §2.
pub(super) fn ask_for_token() -> HttpResponse {
    let mut answer = small(StatusCode::UNAUTHORIZED);
    let asks = HeaderValue::from_static(
        "Basic realm=\"Offhook: any name, and the token of http.token_file\", charset=\"UTF-8\"",
    );
    answer.headers_mut().insert(header::WWW_AUTHENTICATE, asks);
    answer
}

/// A page. One that tells of a fault has a status by which a machine sees it.
pub(super) fn page(page: PageAnswer) -> HttpResponse {
    let status = match page.status {
        PageStatus::Well => StatusCode::OK,
        PageStatus::Failing => StatusCode::SERVICE_UNAVAILABLE,
        PageStatus::Nothing => StatusCode::NOT_FOUND,
    };
    let mut answer = with(status, Bytes::from(page.body));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(page.media_type));
    answer
}

/// A file, or the part of it that is asked for. `permit` is released when the file leaves memory.
///
/// Source: RFC 9110 §14.2 (Range is for GET only), §13.1.5 (a validator that we did not give never matches).
pub(super) fn file<B>(
    file: File,
    request: &Request<B>,
    permit: OwnedSemaphorePermit,
) -> HttpResponse {
    let range = request.headers().get(header::RANGE).and_then(|value| value.to_str().ok());
    let is_conditional = request.headers().contains_key(header::IF_RANGE);
    let length = file.bytes.len();
    let part = match range {
        Some(range) if request.method() == Method::GET && !is_conditional => part(range, length),
        Some(_) | None => ByteRange::Whole,
    };
    let (status, range) = match part {
        ByteRange::Whole => (StatusCode::OK, 0..length),
        ByteRange::Some(range) => (StatusCode::PARTIAL_CONTENT, range),
        ByteRange::Outside => {
            let mut answer = small(StatusCode::RANGE_NOT_SATISFIABLE);
            set(answer.headers_mut(), header::CONTENT_RANGE, &format!("bytes */{length}"));
            return answer;
        }
    };
    let content_range = format!("bytes {}-{}/{length}", range.start, range.end.saturating_sub(1));
    let mut answer = with(
        status,
        Bytes::from_owner(Counted { bytes: file.bytes.slice(range), _permit: permit }),
    );
    let headers = answer.headers_mut();
    if status == StatusCode::PARTIAL_CONTENT {
        set(headers, header::CONTENT_RANGE, &content_range);
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.media_type));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    // The link is the secret: a web client of any origin that knows it may read the file.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    set(headers, header::CONTENT_DISPOSITION, &disposition(&file.file_name));
    answer
}

fn with(status: StatusCode, bytes: Bytes) -> HttpResponse {
    let length = bytes.len();
    let mut answer = Response::new(Full::new(bytes));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    let Ok(value) = HeaderValue::from_str(value) else {
        unreachable!("made of digits and of escaped text")
    };
    headers.insert(name, value);
}

/// Source: RFC 6266 §4.3, appendix D.
fn disposition(file_name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let plain: String = file_name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    if plain == file_name {
        format!("inline; filename=\"{plain}\"")
    } else {
        let escaped = utf8_percent_encode(file_name, ESCAPED);
        format!("inline; filename=\"{plain}\"; filename*=UTF-8''{escaped}")
    }
}

/// A file's octets, with the permit that counts the files in memory.
struct Counted {
    bytes: Bytes,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// In every answer: nothing is cached, no type is guessed, and nothing in it runs.
const ALWAYS: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "private, no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    // A browser plays a file in a page of its own, whose media is the file itself. The operator's page has a style.
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; media-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_cannot_break_out_of_its_header() {
        let cases = [
            ("voice-1.mp3", "inline; filename=\"voice-1.mp3\""),
            (
                "a\"; x=\r\né.mp3",
                "inline; filename=\"a___x____.mp3\"; filename*=UTF-8''a%22%3B%20x%3D%0D%0A%C3%A9.mp3",
            ),
        ];
        for (name, expected) in cases {
            assert_eq!(disposition(name), expected);
            assert!(HeaderValue::from_str(expected).is_ok());
        }
    }
}
