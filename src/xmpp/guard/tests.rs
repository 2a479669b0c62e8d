//! The guard between hostile stanzas and the parser.

use minidom::Element;
use proptest::prelude::*;

use super::*;

#[test]
fn a_stanza_beyond_a_limit_costs_that_stanza_only() {
    let deep = |levels: usize| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
    let wide = |n: usize| format!("<m>{}</m>", "<a/>".repeat(n - 1));
    let named = |n: usize| format!("<m id='{}'/>", "x".repeat(n - 1));
    let attributed =
        |n: usize| format!("<m{}/>", (0..n).map(|i| format!(" a{i}=''")).collect::<String>());
    let sized = |n: usize| format!("<m>{}</m>", "x".repeat(n - 7));
    let cases = [
        ("100 deep", deep(100), true),
        ("101 deep", deep(101), false),
        ("37,000 deep", deep(37_000), false),
        ("a million deep", deep(1_000_000), false),
        ("10,000 elements", wide(10_000), true),
        ("10,001 elements", wide(10_001), false),
        ("an id of 7,999 bytes", named(8000), true),
        ("an id of 9,000 bytes", named(9001), false),
        ("a long name", format!("<m><{0}></{0}></m>", "n".repeat(8001)), false),
        ("a long attribute name", format!("<m {}='1'/>", "n".repeat(8001)), false),
        ("a long reference", format!("<m>&#{};</m>", "0".repeat(9000)), false),
        ("256 attributes", attributed(256), true),
        ("257 attributes", attributed(257), false),
        ("1 MiB", sized(STANZA_BYTES_MAX), true),
        ("1 MiB and a byte", sized(STANZA_BYTES_MAX + 1), false),
        ("a comment", "<m><!-- > -> <a> --></m>".into(), false),
        ("an instruction", "<m><?php > ? ?></m>".into(), false),
        ("a declaration", "<m><!ENTITY lol 'lol'></m>".into(), false),
        ("a character section", "<m><![CDATA[<a>]]]></m>".into(), true),
        ("brackets in quotes", "<m a='>' b=\"'/>\" ><b c = '/'/> > </m >".into(), true),
    ];
    for (what, stanza, passes) in cases {
        let mut splitter = Splitter::default();
        let mut passed = Vec::new();
        for part in [HEADER, "<first/>", &stanza, " <last a='1'>x</last>", "</s:stream>"] {
            splitter.feed(part.as_bytes(), &mut passed);
        }
        let stanza = if passes { stanza.as_str() } else { "" };
        let expected = format!("{HEADER}<first/>{stanza} <last a='1'>x</last></s:stream>");
        assert!(passed == expected.as_bytes(), "{what}");
        assert_eq!(splitter.dropped, u64::from(!passes), "{what}");
        if passes {
            parse(&passed).unwrap_or_else(|error| panic!("{what}: {error}"));
        }
    }
}

#[test]
fn an_element_that_never_ends_takes_no_memory() {
    let (mut splitter, mut passed) = (Splitter::default(), Vec::new());
    splitter.feed(HEADER.as_bytes(), &mut passed);
    splitter.feed(b"<m>", &mut passed);
    for _ in 0..100 {
        splitter.feed(&[b'x'; 100_000], &mut passed);
    }
    assert!(splitter.held.capacity() <= 2 * STANZA_BYTES_MAX);
    assert_eq!(passed.len(), HEADER.len());
}

proptest! {
    #[test]
    fn what_passes_parses_however_it_is_cut(
        stanzas in prop::collection::vec(tree(), 0..8),
        cuts in prop::collection::vec(1_usize..40, 1..20),
    ) {
        let (mut splitter, mut passed) = (Splitter::default(), Vec::new());
        let wire = format!("{HEADER}{}</s:stream>", stanzas.concat());
        let mut rest = wire.as_bytes();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (part, more) = rest.split_at((*cut).min(rest.len()));
            splitter.feed(part, &mut passed);
            rest = more;
        }
        let kept: Vec<_> = stanzas.iter().filter(|it| !it.contains("<!--")).cloned().collect();
        let expected = format!("{HEADER}{}</s:stream>", kept.concat());
        prop_assert_eq!(String::from_utf8(passed.clone()).unwrap(), expected);
        prop_assert!(parse(&passed).is_ok());
    }

    #[test]
    fn any_bytes_come_out_the_same_however_they_are_cut(
        bytes in prop::collection::vec(prop_oneof![
            Just(b'<'), Just(b'>'), Just(b'/'), Just(b'"'), Just(b'!'), Just(b'-'), Just(b'?'),
            Just(b'['), Just(b']'), Just(b'&'), Just(b';'), Just(b'='), Just(b' '), any::<u8>(),
        ], 0..400),
        cut in 0_usize..400,
    ) {
        let (mut whole, mut parts) = ((Splitter::default(), vec![]), (Splitter::default(), vec![]));
        whole.0.feed(&bytes, &mut whole.1);
        let (one, two) = bytes.split_at(cut.min(bytes.len()));
        parts.0.feed(one, &mut parts.1);
        parts.0.feed(two, &mut parts.1);
        prop_assert_eq!(whole.1, parts.1);
    }
}

fn parse(wire: &[u8]) -> Result<Element, minidom::Error> {
    String::from_utf8_lossy(wire).parse()
}

/// Well-formed stanzas, some with a comment in them.
fn tree() -> impl Strategy<Value = String> {
    let text = "[a-z >/'\"=ü🙂\\]-]{0,12}";
    let leaf = prop_oneof![
        text.prop_map(|text| format!("<t>{}</t>", text.replace("]]>", ""))),
        Just("<e/>".to_owned()),
        Just("<e />".to_owned()),
        text.prop_map(|text| format!("<q a = \"{}\"/>", text.replace('"', ""))),
        Just("<r>&amp;&#x41;&lt;</r>".to_owned()),
        Just("<c><![CDATA[<x>]] ]]></c>".to_owned()),
        Just("<h><!-- <a> - -></x> --></h>".to_owned()),
    ];
    leaf.prop_recursive(6, 30, 4, |inner| {
        prop::collection::vec(inner, 0..4)
            .prop_map(|children| format!("<n:p xmlns:n='x' k='v'>{}</n:p>", children.concat()))
    })
}

const HEADER: &str = "<?xml version='1.0'?><s:stream xmlns:s='http://etherx.jabber.org/streams' \
    xmlns='jabber:component:accept' id='1'>";
