//! Answers to the challenges of proxies and registrars.

use ezk_sip_auth::{
    ClientAuthenticator, DigestAuthenticator, DigestCredentials, DigestUser, RequestParts,
    ResponseParts,
};
use ezk_sip_types::header::typed::{
    Algorithm, AlgorithmValue, AuthChallenge, DigestChallenge, QopOption,
};
use ezk_sip_types::msg::{RequestLine, StatusLine};
use ezk_sip_types::{Headers, Name, StatusCode};
use secrecy::ExposeSecret;

use super::message::{Message, Method};
use super::trunk::Credentials;

/// The authorisation of one request, over all the challenges that it meets on its way.
///
/// Contract: one value per request; a BYE does not reuse the challenge of the INVITE, because the
///           digest covers method and address.
/// Source:   RFC 3261 §22; RFC 8760 (SHA-256, several challenges); RFC 7616 §3.3.
///
/// The client nonce is drawn by ezk-sip-auth from the operating system; no decision depends on it.
pub struct Digest {
    authenticator: Option<DigestAuthenticator>,
    realms: Vec<String>,
    rounds: u32,
}

impl Digest {
    /// For a request that is not challenged yet.
    pub fn new(credentials: Option<&Credentials>) -> Self {
        let authenticator = credentials.map(|credentials| {
            let mut known = DigestCredentials::new();
            let password = credentials.password.expose_secret().as_bytes();
            known.set_default(DigestUser::new(credentials.username.as_str(), password));
            DigestAuthenticator::new(known)
        });
        Self { authenticator, realms: Vec::new(), rounds: 0 }
    }

    /// Takes a 401 or 407 and gives the headers with which the request may be tried again.
    ///
    /// Contract: a realm that was answered before is answered once more only if it says `stale`, so a
    ///           wrong password ends after two requests.
    pub fn answer(
        &mut self,
        challenge: &Message,
        request: &Message,
    ) -> Option<Vec<(&'static str, String)>> {
        self.rounds += 1;
        if self.rounds > ROUNDS_MAX {
            return None;
        }
        let authenticator = self.authenticator.as_mut()?;
        let mut challenges = Headers::new();
        let mut realms = Vec::new();
        for (name, header) in [
            (Name::WWW_AUTHENTICATE, "WWW-Authenticate"),
            (Name::PROXY_AUTHENTICATE, "Proxy-Authenticate"),
        ] {
            for challenge in challenge.all(header).filter_map(readable).take(CHALLENGES_MAX) {
                let realm = challenge.realm.to_string();
                if self.realms.contains(&realm) && !challenge.stale {
                    return None;
                }
                realms.push(realm);
                challenges.insert_type(name.clone(), &challenge);
            }
        }
        let line = RequestLine {
            method: method(&request.method),
            uri: request.request_uri().parse().ok()?,
        };
        let status = StatusLine { code: StatusCode::from(challenge.status()?), reason: None };
        let (no_headers, no_body) = (Headers::new(), &[][..]);
        let rejected = RequestParts { line: &line, headers: &no_headers, body: &request.body };
        let response = ResponseParts { line: &status, headers: &challenges, body: no_body };
        if realms.is_empty() || authenticator.handle_rejection(rejected, response).is_err() {
            return None;
        }
        self.realms.append(&mut realms);
        let mut answers = Headers::new();
        authenticator.authorize_request(&mut answers);
        let of = |name: Name, header: &'static str| {
            let values: Vec<_> =
                answers.get_raw(&name).map(|value| (header, value.to_string())).collect();
            values
        };
        let mut headers = of(Name::AUTHORIZATION, "Authorization");
        headers.extend(of(Name::PROXY_AUTHORIZATION, "Proxy-Authorization"));
        Some(headers)
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Digest")
            .field("realms", &self.realms)
            .field("rounds", &self.rounds)
            .finish_non_exhaustive()
    }
}

/// A challenge that ezk-sip-auth answers rightly: it computes `-sess` and AKA wrongly, prefers `auth-int`
/// where `auth` is enough, and cuts an algorithm name in the middle of a character.
fn readable(value: &str) -> Option<DigestChallenge> {
    let (scheme, rest) = value.split_once(' ')?;
    let cut = rest.match_indices("algorithm").any(|(at, word)| {
        let name = rest.get(at + word.len()..).unwrap_or_default();
        let name = name.trim_start_matches([' ', '=', '"']);
        !name.chars().take(LONGEST_AKA).all(|c| c.is_ascii())
    });
    if !scheme.eq_ignore_ascii_case("Digest") || cut {
        return None;
    }
    let mut headers = Headers::new();
    headers.insert(Name::WWW_AUTHENTICATE, format!("Digest {}", small_names(rest)));
    let Ok(AuthChallenge::Digest(mut challenge)) = headers.get(Name::WWW_AUTHENTICATE) else {
        return None;
    };
    if challenge.qop.contains(&QopOption::Auth) {
        challenge.qop = vec![QopOption::Auth];
    }
    use AlgorithmValue::{MD5, SHA256, SHA512256};
    let known = matches!(&challenge.algorithm, Algorithm::AlgorithmValue(MD5 | SHA256 | SHA512256));
    known.then_some(challenge)
}

/// The parameters with their names in small letters, which is all that ezk-sip-types knows; the values stay as they are.
///
/// Source: RFC 3261 §7.3.1 (names are compared without regard to case).
fn small_names(parameters: &str) -> String {
    let (mut quoted, mut escaped, mut in_name) = (false, false, true);
    let small = |c: char| {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => in_name = true,
            '=' if !quoted => in_name = false,
            _ => {}
        }
        if in_name { c.to_ascii_lowercase() } else { c }
    };
    parameters.chars().map(small).collect()
}

fn method(method: &Method) -> ezk_sip_types::Method {
    ezk_sip_types::Method::from(method.as_str())
}

const ROUNDS_MAX: u32 = 4;
const CHALLENGES_MAX: usize = 8;
const LONGEST_AKA: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::trunk::Trunk;

    #[test]
    fn a_challenge_is_answered_if_there_is_a_way() {
        let md5 = "response=\"eb3b0641de7c7c1b7df614530e9432b3\"";
        let sha = "response=\"b0c895520ceaa62cef88e1d216e68c43ae46a6d0c16621d00981d1143e430ef8\"";
        let cases = [
            ("plain", "Digest realm=\"r\", nonce=\"n\"", md5),
            ("lower case", "digest realm=r,nonce=n,algorithm=md5", md5),
            ("upper case", "DIGEST REALM=\"r\", Nonce=\"n\", Algorithm=MD5", md5),
            (
                "values that look like names",
                "Digest Realm=\"R, Nonce=N\", nonce=\"n\"",
                "realm=\"R, Nonce=N\"",
            ),
            ("SHA-256", "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256", sha),
            (
                "SHA-512-256",
                "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256",
                "response=\"33e82ef13ddfea97b7a43d4cae2ca147fcd29572b9f98bffc0bb1c5efdffe253\"",
            ),
            (
                "a list",
                "Basic realm=\"r\"|Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256|Digest realm=\"r\", nonce=\"n\"",
                sha,
            ),
            (
                "an unknown one first",
                "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-1|Digest realm=\"r\", nonce=\"n\"",
                md5,
            ),
            ("opaque", "Digest realm=\"r\", nonce=\"n\", opaque=\"o,p\"", "opaque=\"o,p\""),
            ("a comma in the realm", "Digest realm=\"r, s\", nonce=\"n\"", "realm=\"r, s\""),
            ("a realm beyond ASCII", "Digest realm=\"rü\", nonce=\"n\"", "realm=\"rü\""),
            ("two qops", "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int, auth\"", "qop=auth, "),
            (
                "only the harder qop",
                "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"",
                "qop=auth-int, ",
            ),
            ("an unknown qop", "Digest realm=\"r\", nonce=\"n\", qop=\"guess\"", ""),
            ("a session", "Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess, qop=auth", ""),
            ("only Basic", "Basic realm=\"r\"", ""),
            ("no nonce", "Digest realm=\"r\"", ""),
            ("half a character", "Digest realm=\"r\", nonce=\"n\", algorithm=\"aaaé-md5\"", ""),
            (
                "half a character in quotes",
                "Digest realm=\"r\", nonce=\"n\", algorithm=\"\\\"aé-md5\"",
                "",
            ),
            ("rubbish", "Digest ,,,=\"", ""),
            ("nothing", "", ""),
        ];
        for (challenge, values, expected) in cases {
            let mut builder = request().respond(401, "t");
            for value in values.split('|') {
                builder = builder.header("WWW-Authenticate", value);
            }
            let response = Message::parse(&builder.end()).unwrap();
            let mut digest = Digest::new(Trunk::example().credentials.as_ref());
            let headers = digest.answer(&response, &request()).unwrap_or_default();
            let text: String =
                headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            assert!(text.contains(expected), "{challenge}: {text}");
            assert_eq!(text.is_empty(), expected.is_empty(), "{challenge}: {text}");
        }
    }

    #[test]
    fn without_credentials_no_challenge_is_answered() {
        let builder = request()
            .respond(407, "t")
            .header("Proxy-Authenticate", "Digest realm=\"r\", nonce=\"n\"");
        let response = Message::parse(&builder.end()).unwrap();
        assert_eq!(Digest::new(None).answer(&response, &request()), None);
    }

    #[test]
    fn a_password_is_in_no_debug_line() {
        let trunk = Trunk::example();
        let digest = Digest::new(trunk.credentials.as_ref());
        assert!(!format!("{trunk:?}{digest:?}").contains("secret"));
    }

    fn request() -> Message {
        let text = "REGISTER sip:pbx.example.org SIP/2.0\r\nVia: SIP/2.0/UDP b;branch=z9hG4bKa\r\nFrom: <sip:b@b>;tag=1\r\n\
             To: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 7 REGISTER\r\n\r\n";
        Message::parse(text.as_bytes()).unwrap()
    }
}
