//! The part of a file that a player asks for.

use std::ops::Range;

/// What a `Range` header says about a file of some length.
#[derive(Debug, PartialEq)]
pub(super) enum Part {
    /// All of it: nothing else was asked for, or nothing that we understand.
    Whole,
    /// These octets.
    Some(Range<usize>),
    /// Octets that the file does not have.
    Outside,
}

/// Reads the header's value. Several ranges at once are answered with the whole file, as a server may.
///
/// Shape:  `bytes=first-last`, `bytes=first-` or `bytes=-last so many`; counted from 0, `last` included.
/// Source: RFC 9110 §14.1.2, §14.2.
pub(super) fn part(header: &str, length: usize) -> Part {
    let Some((unit, spec)) = header.split_once('=') else { return Part::Whole };
    let Some((first, last)) = spec.trim().split_once('-') else { return Part::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Part::Whole;
    }
    let range = match (number(first), number(last)) {
        (Number::Some(first), Number::Some(last)) if first <= last => {
            first..last.saturating_add(1).min(length)
        }
        (Number::Some(first), Number::None) => first..length,
        (Number::None, Number::Some(count)) => length.saturating_sub(count)..length,
        _ => return Part::Whole,
    };
    if range.start < range.end { Part::Some(range) } else { Part::Outside }
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
            ("bytes=0-", Part::Some(0..100)),
            ("bytes=0-0", Part::Some(0..1)),
            ("Bytes=10-19", Part::Some(10..20)),
            ("bytes=90-200", Part::Some(90..100)),
            ("bytes=99-", Part::Some(99..100)),
            ("bytes=-10", Part::Some(90..100)),
            ("bytes=-1000", Part::Some(0..100)),
            ("bytes=0-99999999999999999999999999", Part::Some(0..100)),
            ("bytes=100-", Part::Outside),
            ("bytes=99999999999999999999999999-", Part::Outside),
            ("bytes=-0", Part::Outside),
            ("bytes=5-4", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=0-1,5-6", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("bytes", Part::Whole),
            ("", Part::Whole),
            ("items=0-1", Part::Whole),
        ];
        for (header, expected) in cases {
            assert_eq!(part(header, 100), expected, "{header}");
        }
        assert_eq!(part("bytes=0-", 0), Part::Outside);
    }
}
