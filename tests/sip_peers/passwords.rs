//! Challenges, several of them and of several realms, whose answers OpenSSL reckons too.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use offhook::demo::child_process::free_port;
use offhook::sip::registration::State;

use crate::call::Call;
use crate::programs::{Sipp, UDP};
use crate::transports::is_registered;

#[tokio::test]
async fn a_proxy_and_a_phone_each_want_their_password_for_the_call_and_for_its_end() {
    let port = free_port().unwrap();
    let (number, contact) =
        (format!("sip:+81312345678@127.0.0.1:{port}"), format!("sip:phone@127.0.0.1:{port}"));
    let edge = "Proxy-Authenticate: Digest realm=\"edge, one\", nonce=\"n1\", algorithm=";
    let core = "WWW-Authenticate: Digest realm=\"core\", nonce=\"n2\", algorithm=";
    let of_edge = |hash, method, uri| answer(hash, "edge, one", "n1", method, uri);
    let of_core = |hash, method, uri| answer(hash, "core", "n2", method, uri);
    let [first, second] =
        [of_edge("sha512-256", "INVITE", &number), of_core("sha256", "INVITE", &number)];
    let [third, fourth] = [of_edge("md5", "BYE", &contact), of_core("sha512-256", "BYE", &contact)];
    let script = format!(
        "<INVITE !uthorization: / >407|{edge}SHA-512-256|{edge}SHA-256|{edge}MD5 / <ACK / \
         <INVITE ~Proxy-Authorization: {first} / \
         >401|WWW-Authenticate: Basic realm=\"core\"|{core}SHA-1|{core}SHA-256|{core}MD5 / <ACK / \
         <INVITE ~Proxy-Authorization: {first} & ~[^-]Authorization: {second} / >200||SDP / \
         <ACK ~Proxy-Authorization: {first} & ~[^-]Authorization: {second} / \
         <BYE !uthorization: / >>407|{edge}MD5 / <BYE ~Proxy-Authorization: {third} / \
         >>401|{core}SHA-512-256|{core}MD5 / \
         <BYE ~Proxy-Authorization: {third} & ~[^-]Authorization: {fourth} / >>200"
    );
    let mut phone = Sipp::playing_on(port, &script, UDP);
    let call = Call::to(port).with_password("secret").hanging_up_after(SHORTLY);
    assert_eq!(call.run().await.told, ["answered", "over ByUs"]);
    phone.is_content();
}

#[tokio::test]
async fn a_nonce_that_has_grown_old_is_replaced_and_a_wrong_password_is_not_tried_again() {
    let port = free_port().unwrap();
    let number = format!("sip:+81312345678@127.0.0.1:{port}");
    let [old, new] = ["n1", "n2"].map(|nonce| answer("sha256", "edge", nonce, "INVITE", &number));
    let ask = |nonce: &str, more: &str| {
        let ask = |algorithm: &str| {
            format!(
                "|Proxy-Authenticate: Digest realm=\"edge\", nonce=\"{nonce}\", algorithm={algorithm}{more}"
            )
        };
        format!(">407{}{} / <ACK", ask("MD5-sess"), ask("SHA-256"))
    };
    let script = format!(
        "<INVITE / {} / <INVITE ~{old} / {} / <INVITE ~{new} / {}",
        ask("n1", ""),
        ask("n2", ", stale=true"),
        ask("n3", "")
    );
    let mut phone = Sipp::playing_on(port, &script, UDP);
    let call = Call::to(port).with_password("secret").run().await;
    assert_eq!(call.told, ["over Refused { status: 407, retry_after: None }"]);
    phone.is_content();
}

#[tokio::test]
async fn a_binding_is_made_with_two_passwords_kept_fresh_and_given_up() {
    let domain = "sip:127.0.0.1";
    let core = "WWW-Authenticate: Digest realm=\"core\", nonce=\"n2\", algorithm=";
    let edge = "Proxy-Authenticate: Digest realm=\"edge\", nonce=\"n1\", algorithm=MD5";
    let first = answer("sha512-256", "core", "n2", "REGISTER", domain);
    let second = answer("md5", "edge", "n1", "REGISTER", domain);
    let script = format!(
        "<REGISTER ~Expires: 3600 & !uthorization: / >>401|{core}SHA-512-256|{core}MD5 / \
         <REGISTER ~[^-]Authorization: {first} / >>407|{edge} / \
         <REGISTER ~[^-]Authorization: {first} & ~Proxy-Authorization: {second} / \
         >>200|-Contact|Expires: 1 / <REGISTER ~Expires: 3600 / >>200|-Contact|Expires: 60 / \
         <REGISTER ~Expires: 0 / >>200|-Contact"
    );
    let mut registrar = Sipp::playing(&script, UDP);
    let mut call = Call::to(registrar.port).with_password("secret");
    call.trunk.register = true;
    let agent = call.agent().await;
    is_registered(&agent).await;
    // A binding of a second counts as one of ten, and is refreshed before they are over.
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(agent.registration("test"), Some(State::Registered));
    agent.close().await;
    registrar.is_content();
}

/// What an answer to a challenge without `qop` must hold.
fn answer(hash: &str, realm: &str, nonce: &str, method: &str, uri: &str) -> String {
    let [who, what] = [format!("offhook:{realm}:secret"), format!("{method}:{uri}")];
    let response = digest(hash, &format!("{}:{nonce}:{}", digest(hash, &who), digest(hash, &what)));
    format!("Digest [^>]*realm=\"{realm}\"[^>]*response=\"{response}\"")
}

fn digest(hash: &str, text: &str) -> String {
    let mut openssl = Command::new("openssl");
    let openssl = openssl.args(["dgst", &format!("-{hash}")]);
    let mut openssl = openssl.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    openssl.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let told = String::from_utf8(openssl.wait_with_output().unwrap().stdout).unwrap();
    told.trim().rsplit(' ').next().unwrap().to_owned()
}

const SHORTLY: Duration = Duration::from_millis(100);
