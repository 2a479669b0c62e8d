use phonenumber::metadata::DATABASE;

use super::*;

fn read(written: &str) -> Option<String> {
    written.parse::<PhoneNumber>().ok().map(|number| number.as_str().to_owned())
}

#[test]
fn a_number_is_read_as_people_write_it() {
    let cases = [
        ("+81312345678", Some("+81312345678")),
        (" +81 (3) 1234-5678 ", Some("+81312345678")),
        ("+81.3.1234/5678", Some("+81312345678")),
        ("0081 3 1234 5678", Some("+81312345678")),
        ("tel:+81-3-1234-5678", Some("+81312345678")),
        ("TEL:+81312345678", Some("+81312345678")),
        ("+８１３１２３４５６７８", Some("+81312345678")),
        ("＋８１　（０）３－１２３４－５６７８", Some("+81312345678")),
        ("+81 (0)3 7890 2222", Some("+81378902222")),
        ("+81 03 7890 2222", Some("+81378902222")),
        ("+49 (0) 170 1234567", Some("+491701234567")),
        ("+49 (0)170 1234567", Some("+491701234567")),
        ("0049 (0)170 / 1234567", Some("+491701234567")),
        ("+49 0170 1234567", Some("+491701234567")),
        // Italy's zeros belong to the number.
        ("+39 (0)6 698 12345", Some("+390669812345")),
        ("+39 06 698 12345", Some("+390669812345")),
        ("+999 (0)5550100", Some("+9995550100")),
        ("\u{202a}+81 3‑1234–5678\u{202c}", Some("+81312345678")),
        ("0312345678", None),
        ("+0312345678", None),
        ("000312345678", None),
        ("+81", None),
        ("+8131234567890123", None),
        ("+81312345678;ext=5", None),
        ("tel:0312345678;phone-context=+81", None),
        ("+81312345678@evil.example", None),
        ("+8131234567&SIP/9", None),
        ("+81312345678,,9", None),
        ("+٨١٣١٢٣٤٥٦٧٨", None),
        ("+81312345678\r\nX: y", None),
        ("tel", None),
        ("", None),
    ];
    for (written, expected) in cases {
        assert_eq!(read(written).as_deref(), expected, "written {written:?}");
    }
}

#[test]
fn what_was_understood_is_said_in_the_groups_of_its_country() {
    let cases = [
        ("+81312345678", "+81 3-1234-5678"),
        ("+442079460958", "+44 20 7946 0958"),
        ("+390669812345", "+39 06 6981 2345"),
        ("+9995550100", "+9995550100"),
        ("+1555", "+1555"),
    ];
    for (number, expected) in cases {
        let number = PhoneNumber(number.to_owned());
        assert_eq!(number.spaced(), expected);
    }
}

#[test]
fn a_number_has_the_type_that_its_country_gives_it() {
    use NumberType::*;
    let cases = [
        ("+81312345678", FixedLine),
        ("+819012345678", Mobile),
        ("+81120123456", TollFree),
        ("+81990123456", PremiumRate),
        ("+81570123456", Uan),
        ("+812034567890", Pager),
        ("+815012345678", Voip),
        ("+12025550100", FixedLineOrMobile),
        ("+19005550100", PremiumRate),
        ("+491701234567", Mobile),
        ("+4930123456", FixedLine),
        ("+499001234567", PremiumRate),
        ("+491801123456", SharedCost),
        ("+447012345678", PersonalNumber),
        ("+449012345678", PremiumRate),
        ("+390669812345", FixedLine),
        ("+870773111632", Satellite),
        ("+881612345678", Satellite),
        ("+882161234567", Satellite),
        ("+979123456789", PremiumRate),
        ("+80812345678", SharedCost),
        ("+44116123", ShortCode),
        ("+19115550100", Emergency),
        ("+9995550100", Unknown),
        ("+812222", ShortCode),
    ];
    for (number, expected) in cases {
        let of = NumberType::of(&PhoneNumber(number.to_owned()));
        assert_eq!(of, expected, "{number}");
    }
}

/// The examples of every plan with their neighbours: what a plan calls costly is never taken for ordinary.
#[test]
fn no_costly_number_of_any_plan_passes_as_an_ordinary_one() {
    let mut numbers = 0;
    for plan in DATABASE.iter() {
        let all = plan.descriptors();
        let costly =
            [all.premium_rate(), all.shared_cost(), all.pager(), all.voicemail(), all.uan()];
        let sorts = costly.into_iter().chain([all.personal_number()]).flatten();
        let ordinary = [all.fixed_line(), all.mobile(), all.toll_free(), all.voip()];
        let examples: Vec<_> =
            sorts.chain(ordinary.into_iter().flatten()).filter_map(|it| it.example()).collect();
        for example in examples {
            for national in neighbours(example) {
                let Ok(number) = format!("+{}{national}", plan.country_code()).parse() else {
                    continue;
                };
                let number: PhoneNumber = number;
                let Some((_, national)) = number.parts() else { continue };
                let is_costly = costly.into_iter().flatten().any(|it| it.is_match(national));
                numbers += 1;
                if is_costly && NumberType::of(&number).is_ordinary() {
                    // A neighbouring country of the same code may have given the number to somebody.
                    let shared =
                        DATABASE.region(&plan.country_code()).is_some_and(|it| it.len() > 1);
                    let free = all.toll_free().is_some_and(|it| it.is_match(national));
                    assert!(shared || free, "{number:?} of {}: {}", plan.id(), number.as_str());
                }
            }
        }
    }
    assert!(numbers >= 10_000, "{numbers}");
}

fn neighbours(example: &str) -> Vec<String> {
    let digits = example.as_bytes();
    let mut found = vec![example.to_owned()];
    for place in 0..digits.len() {
        for step in [1, 5] {
            let mut near = digits.to_vec();
            near[place] = b'0' + (near[place] - b'0' + step) % 10;
            found.extend(String::from_utf8(near));
        }
    }
    found
}

#[test]
fn a_number_in_a_debug_line_is_hidden() {
    let number: PhoneNumber = "+81312345678".parse().unwrap();
    assert!(!format!("{number:?}").contains("1234"));
}
