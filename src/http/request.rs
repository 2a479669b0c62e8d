//! What a request asks for.

use hyper::{Method, Uri};
use percent_encoding::percent_decode_str;

use super::link::FOLDER;

/// What is wanted, as far as the request's head tells.
#[derive(Debug, PartialEq)]
pub(super) enum Wanted {
    /// `/r/<token>/<name>`, well formed; whether it exists is for the shelf to say.
    File { token: String, name: String },
    /// `/health`
    Health,
    /// Neither.
    Nothing,
    /// Neither GET nor HEAD, wherever.
    OtherMethod,
    /// It has a body, wherever.
    ToSend,
}

/// Reads a request. The method and the body are judged first, so that these refusals tell nothing about a path.
pub(super) fn wanted(method: &Method, uri: &Uri, has_body: bool) -> Wanted {
    if method != Method::GET && method != Method::HEAD {
        return Wanted::OtherMethod;
    }
    if has_body {
        return Wanted::ToSend;
    }
    if uri.query().is_some() {
        return Wanted::Nothing;
    }
    if uri.path() == "/health" {
        return Wanted::Health;
    }
    let file = || {
        let (token, name) = uri.path().strip_prefix(FOLDER)?.split_once('/')?;
        let name = percent_decode_str(name).decode_utf8().ok()?;
        is_token(token).then(|| Wanted::File { token: token.into(), name: name.into_owned() })
    };
    file().unwrap_or(Wanted::Nothing)
}

/// As [`crate::seed::Seed::token`] draws them.
fn is_token(text: &str) -> bool {
    text.len() == TOKEN_LENGTH && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'))
}

const TOKEN_LENGTH: usize = 26;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::link;
    use crate::seed::Seed;

    #[test]
    fn only_a_well_formed_link_reaches_the_shelf() {
        let token = Seed::fixed(1).token();
        let file = |name: &str| Wanted::File { token: token.clone(), name: name.into() };
        let cases = [
            (link("", &token, "voice answer é.mp3"), file("voice answer é.mp3")),
            (format!("/r/{token}/a.mp3"), file("a.mp3")),
            (format!("http://example.org/r/{token}/a.mp3"), file("a.mp3")),
            (format!("/r/{token}/..%2fa.mp3"), file("../a.mp3")),
            (format!("/r/{token}/a.mp3?x"), Wanted::Nothing),
            (format!("/r/{token}"), Wanted::Nothing),
            (format!("/r/{token}/%ff"), Wanted::Nothing),
            (format!("/r/{}/a.mp3", token.to_uppercase()), Wanted::Nothing),
            (format!("/r/{}/a.mp3", &token[1..]), Wanted::Nothing),
            (format!("/r/{token}a/a.mp3"), Wanted::Nothing),
            (format!("/r/{}1/a.mp3", &token[1..]), Wanted::Nothing),
            (format!("//r/{token}/a.mp3"), Wanted::Nothing),
            (format!("/x/../r/{token}/a.mp3"), Wanted::Nothing),
            ("/health".into(), Wanted::Health),
            ("/health/".into(), Wanted::Nothing),
            ("/".into(), Wanted::Nothing),
        ];
        for (target, expected) in cases {
            let uri: Uri = target.parse().unwrap();
            assert_eq!(wanted(&Method::GET, &uri, false), expected, "{target}");
            assert_eq!(wanted(&Method::HEAD, &uri, false), expected, "{target}");
            assert_eq!(wanted(&Method::GET, &uri, true), Wanted::ToSend);
            assert_eq!(wanted(&Method::POST, &uri, true), Wanted::OtherMethod);
        }
    }
}
