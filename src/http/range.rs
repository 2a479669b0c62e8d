//! Reading the `Range` header.

use std::ops::Range;

/// What a `Range` header says about a file of some length.
#[derive(Debug, PartialEq)]
pub(super) enum ByteRange {
    /// All of it: the header is missing, or not understood.
    Whole,
    /// These octets.
    Some(Range<usize>),
    /// Octets beyond the file's end.
    Outside,
}

/// Reads the header's value. Several ranges at once are answered with the whole file, as a server may.
///
/// Shape:  `bytes=first-last`, `bytes=first-` or `bytes=-last so many`; counted from 0, `last` included.
/// Source: RFC 9110 §14.1.2, §14.2.
pub(super) fn part(header: &str, length: usize) -> ByteRange {
    let Some((unit, spec)) = header.split_once('=') else { return ByteRange::Whole };
    let Some((first, last)) = spec.trim().split_once('-') else { return ByteRange::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return ByteRange::Whole;
    }
    let range = match (number(first), number(last)) {
        (Number::Some(first), Number::Some(last)) if first <= last => {
            first..last.saturating_add(1).min(length)
        }
        (Number::Some(first), Number::None) => first..length,
        (Number::None, Number::Some(count)) => length.saturating_sub(count)..length,
        _ => return ByteRange::Whole,
    };
    if range.start < range.end { ByteRange::Some(range) } else { ByteRange::Outside }
}

fn number(text: &str) -> Number {
    match text.bytes().all(|b| b.is_ascii_digit()) {
        true if text.is_empty() => Number::None,
        true => Number::Some(text.parse().unwrap_or(usize::MAX)), // Too long to hold: past every end.
        false => Number::Wrong,
    }
}

#[rustfmt::skip]
enum Number { None, Some(usize), Wrong }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_player_gets_the_part_it_asks_for() {
        let cases = [
            ("bytes=0-", ByteRange::Some(0..100)),
            ("bytes=0-0", ByteRange::Some(0..1)),
            ("Bytes=10-19", ByteRange::Some(10..20)),
            ("bytes=90-200", ByteRange::Some(90..100)),
            ("bytes=99-", ByteRange::Some(99..100)),
            ("bytes=-10", ByteRange::Some(90..100)),
            ("bytes=-1000", ByteRange::Some(0..100)),
            ("bytes=0-99999999999999999999999999", ByteRange::Some(0..100)),
            ("bytes=100-", ByteRange::Outside),
            ("bytes=99999999999999999999999999-", ByteRange::Outside),
            ("bytes=-0", ByteRange::Outside),
            ("bytes=5-4", ByteRange::Whole),
            ("bytes=-", ByteRange::Whole),
            ("bytes=0-1,5-6", ByteRange::Whole),
            ("bytes=+1-2", ByteRange::Whole),
            ("bytes=a-b", ByteRange::Whole),
            ("bytes", ByteRange::Whole),
            ("", ByteRange::Whole),
            ("items=0-1", ByteRange::Whole),
        ];
        for (header, expected) in cases {
            assert_eq!(part(header, 100), expected, "{header}");
        }
        assert_eq!(part("bytes=0-", 0), ByteRange::Outside);
    }
}
