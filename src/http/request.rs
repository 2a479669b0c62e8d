//! Reading requests.

use hyper::{Method, Uri};
use percent_encoding::percent_decode_str;

use super::link::FOLDER;
use super::page::Page;

/// What a request asks for, as far as its head tells.
#[derive(Debug, PartialEq)]
pub(super) enum FileRequest {
    /// `/r/<token>/<name>`, well formed; whether it exists is not known yet.
    File { token: String, name: String },
    /// A page for those who watch the program.
    Page(Page),
    /// Any other path.
    NotFound,
    /// Neither GET nor HEAD, whatever the path.
    OtherMethod,
    /// A request with a body, whatever the path.
    HasBody,
}

/// Reads a request. The method and the body are checked first, so that these refusals tell nothing about a path.
pub(super) fn read(method: &Method, uri: &Uri, has_body: bool) -> FileRequest {
    if method != Method::GET && method != Method::HEAD {
        return FileRequest::OtherMethod;
    }
    if has_body {
        return FileRequest::HasBody;
    }
    let path = uri.path();
    if path == OPERATOR || path.strip_prefix(OPERATOR).is_some_and(|rest| rest.starts_with('/')) {
        let query = uri.query().unwrap_or_default().to_owned();
        return FileRequest::Page(Page::Operator { path: path.to_owned(), query });
    }
    if uri.query().is_some() {
        return FileRequest::NotFound;
    }
    match path {
        "/health" => return FileRequest::Page(Page::Health),
        "/metrics" => return FileRequest::Page(Page::Metrics),
        _ => {}
    }
    let file = || {
        let (token, name) = path.strip_prefix(FOLDER)?.split_once('/')?;
        let name = percent_decode_str(name).decode_utf8().ok()?;
        is_token(token).then(|| FileRequest::File { token: token.into(), name: name.into_owned() })
    };
    file().unwrap_or(FileRequest::NotFound)
}

/// As [`crate::seed::Seed::token`] draws them.
fn is_token(text: &str) -> bool {
    text.len() == TOKEN_LENGTH && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'))
}

const OPERATOR: &str = "/operator";
const TOKEN_LENGTH: usize = 26;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::link;
    use crate::seed::Seed;

    #[test]
    fn only_a_well_formed_link_asks_for_a_file() {
        let token = Seed::fixed(1).token();
        let operator = |path: &str, query: &str| {
            FileRequest::Page(Page::Operator { path: path.into(), query: query.into() })
        };
        let file = |name: &str| FileRequest::File { token: token.clone(), name: name.into() };
        let cases = [
            (link("", &token, "voice answer é.mp3"), file("voice answer é.mp3")),
            (format!("/r/{token}/a.mp3"), file("a.mp3")),
            (format!("http://example.org/r/{token}/a.mp3"), file("a.mp3")),
            (format!("/r/{token}/..%2fa.mp3"), file("../a.mp3")),
            (format!("/r/{token}/a.mp3?x"), FileRequest::NotFound),
            (format!("/r/{token}"), FileRequest::NotFound),
            (format!("/r/{token}/%ff"), FileRequest::NotFound),
            (format!("/r/{}/a.mp3", token.to_uppercase()), FileRequest::NotFound),
            (format!("/r/{}/a.mp3", &token[1..]), FileRequest::NotFound),
            (format!("/r/{token}a/a.mp3"), FileRequest::NotFound),
            (format!("/r/{}1/a.mp3", &token[1..]), FileRequest::NotFound),
            (format!("//r/{token}/a.mp3"), FileRequest::NotFound),
            (format!("/x/../r/{token}/a.mp3"), FileRequest::NotFound),
            ("/health".into(), FileRequest::Page(Page::Health)),
            ("/metrics".into(), FileRequest::Page(Page::Metrics)),
            ("/metrics?x".into(), FileRequest::NotFound),
            ("/health/".into(), FileRequest::NotFound),
            ("/operator".into(), operator("/operator", "")),
            ("/operator/calls?before=9".into(), operator("/operator/calls", "before=9")),
            ("/operators".into(), FileRequest::NotFound),
            ("/".into(), FileRequest::NotFound),
        ];
        for (target, expected) in cases {
            let uri: Uri = target.parse().unwrap();
            assert_eq!(read(&Method::GET, &uri, false), expected, "{target}");
            assert_eq!(read(&Method::HEAD, &uri, false), expected, "{target}");
            assert_eq!(read(&Method::GET, &uri, true), FileRequest::HasBody);
            assert_eq!(read(&Method::POST, &uri, true), FileRequest::OtherMethod);
        }
    }
}
