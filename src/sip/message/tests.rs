//! Messages made to break parsers (in the manner of RFC 4475). Those made of chance are in `tests/fuzz`.

use super::*;
use crate::sip::message_builder::MessageBuilder;
use crate::sip::out_of_dialog;

#[test]
fn odd_messages_are_understood() {
    let invite = read(
        "INVITE sip:vivekg@chair.example.org;unknownparam SIP/2.0|TO :| sip:vivekg@chair.example.org ;   tag    = 1918181833n|\
         from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.org>|  ;|  tag = 98asjd8|MaX-fOrWaRdS: 0068|\
         Call-ID: wsinv.ndaksdj@192.0.2.1|CSeq: 0009|  INVITE|Via  : SIP  /   2.0| /UDP|    192.0.2.2;branch=390skdjuw|s :|\
         v:  SIP  / 2.0  / TCP     spindle.example.com   ;|  branch  =   z9hG4bK9ikj8  ,| SIP  /    2.0   / UDP  192.168.255.111   ;| \
         branch=z9hG4bK30239|m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.org>;newparam|l: 3||v=0",
    );
    let invite = invite.unwrap();
    assert_eq!((invite.cseq, &invite.method), (9, &Method::Invite));
    assert_eq!(
        (invite.to.tag.as_deref(), invite.from.tag.as_deref()),
        (Some("1918181833n"), Some("98asjd8"))
    );
    assert_eq!((invite.branch(), invite.items("Via").count()), ("390skdjuw", 3));
    assert_eq!(invite.body, b"v=0");

    let odd = read(
        "!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0|\
         v: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~|t: \"BEL:\\a NUL:\\0 DEL:\\d\" <sip:x@example.com>|\
         f: token1~` token2'+_ <sip:mundane@example.com>;fromParam''~+*_!.-%=\"work\\ing\";tag=_token~1'+`*%!-.|\
         i: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{|CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~|l:0||",
    );
    let odd = odd.unwrap();
    assert!(matches!(&odd.method, Method::Other(name) if name.starts_with("!interesting")));
    assert_eq!(
        out_of_dialog::answer(&odd).and_then(|answer| Message::parse(&answer).ok()?.status()),
        Some(501)
    );

    let unreason = read(&basic("SIP/2.0 200", "CSeq: 1 INVITE")).unwrap();
    assert_eq!(unreason.status(), Some(200));
}

#[test]
fn broken_messages_are_dropped_and_the_reason_is_told() {
    use ParseError::*;
    let too_many: String = (0..101).map(|n| format!("X-{n}: y|")).collect();
    let cases = [
        (String::new(), CutOff),
        ("||".to_owned(), Empty),
        ("INVITE sip:a@b SIP/2.0".to_owned(), CutOff),
        (basic("INVITE sip:a@b SIP/7.0", "CSeq: 1 INVITE"), NotSip),
        (basic("INVITE  sip:a@b  and more SIP/2.0", "CSeq: 1 INVITE"), NotSip),
        (basic("INVITE SIP/2.0", "CSeq: 1 INVITE"), NotSip),
        (basic("SIP/2.0 4294967301 better", "CSeq: 1 INVITE"), NotSip),
        (basic("SIP/2.0 +200 OK", "CSeq: 1 INVITE"), NotSip),
        (basic("SIP/2.0 99 early", "CSeq: 1 INVITE"), NotSip),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: 8 INVITE"), Malformed("CSeq")),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: 36893488147419103232 OPTIONS"), Malformed("CSeq")),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: 2147483648 OPTIONS"), Malformed("CSeq")),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: -1 OPTIONS"), Malformed("CSeq")),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: OPTIONS"), Malformed("CSeq")),
        (basic("OPTIONS sip:a@b SIP/2.0", "X: y"), Missing("CSeq")),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: 1 OPTIONS|CSeq: 2 OPTIONS"), Malformed("CSeq")),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: 1 OPTIONS|i: other"), Malformed("Call-ID")),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: 1 OPTIONS|l: 9999"), CutOff),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: 1 OPTIONS|l: -999"), CutOff),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: 1 OPTIONS|l: 1|l: 2"), Malformed("Content-Length")),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: 1 OPTIONS|no colon"), NotAHeader),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: 1 OPTIONS|X(y): z"), NotAHeader),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: 1 OPTIONS|X: \0"), NotAHeader),
        (basic("OPTIONS sip:a@b SIP/2.0", &format!("CSeq: 1 OPTIONS|{too_many}Y: z")), TooManyHeaders),
        (basic("OPTIONS sip:a@b SIP/2.0", &format!("CSeq: 1 OPTIONS|X: {}", "y".repeat(8192))), TooLarge),
        ("OPTIONS sip:a@b SIP/2.0|Via: SIP/2.0/UDP b|From: <sip:a@b>;tag=1|To: |Call-ID: c|CSeq: 1 OPTIONS||".to_owned(), Malformed("To")),
        ("OPTIONS sip:a@b SIP/2.0|From: <sip:a@b>;tag=1|To: <sip:a@b>|Call-ID: c|CSeq: 1 OPTIONS||".to_owned(), Missing("Via")),
    ];
    for (message, expected) in cases {
        assert_eq!(
            read(&message).err(),
            Some(expected),
            "{}",
            message.chars().take(120).collect::<String>()
        );
    }
}

#[test]
fn what_we_write_stays_one_line_each() {
    let builder =
        MessageBuilder::request(&Method::Options, "sip:a@b").header("X", "one\r\nInjected: two\0");
    assert_eq!(
        String::from_utf8(builder.end()).unwrap(),
        "OPTIONS sip:a@b SIP/2.0\r\nX: oneInjected: two\r\nContent-Length: 0\r\n\r\n"
    );
}

#[test]
fn a_description_without_a_content_type_is_known_by_its_first_line() {
    let cases = [
        ("CSeq: 1 OPTIONS", "v=0|o=- 1 1 IN IP4 192.0.2.1", true),
        ("CSeq: 1 OPTIONS|Content-Type: application/sdp", "v=0", true),
        ("CSeq: 1 OPTIONS|Content-Type: text/plain", "v=0", false),
        ("CSeq: 1 OPTIONS", "hello", false),
        ("CSeq: 1 OPTIONS", "", false),
    ];
    for (headers, body, expected) in cases {
        let message =
            read(&format!("{}{body}", basic("OPTIONS sip:a@b SIP/2.0", headers))).unwrap();
        assert_eq!(message.sdp().is_some(), expected, "{headers} {body}");
        assert_eq!(message.has_foreign_body(), !expected && !body.is_empty(), "{headers} {body}");
    }
}

fn basic(start: &str, headers: &str) -> String {
    format!(
        "{start}|Via: SIP/2.0/UDP b;branch=z9hG4bKa|From: <sip:a@b>;tag=1|To: <sip:a@b>|Call-ID: c|{headers}||"
    )
}

fn read(message: &str) -> Result<Message, ParseError> {
    Message::parse(message.replace('|', "\r\n").as_bytes())
}
