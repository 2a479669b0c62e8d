use super::*;

#[test]
fn every_pattern_is_one() {
    assert_eq!(RULES.len(), LANGUAGES.len());
    assert!(RULES.iter().all(|rules| rules.len() > 60));
}

#[test]
fn what_is_in_words_stays_as_it_is() {
    let texts = [
        ("en", "I can't come, not today: the line is busy!"),
        ("en", "Hello, Bob. You have a message from Alice."),
        ("en", "The sun sat low in march; no. Can you?"),
        ("de", "So, das war alles. Ich kann nicht, leider."),
        ("fr", "J'ai 3 pommes"),
        ("", "7"),
    ];
    for (language, text) in texts {
        assert_eq!(spoken(text, language), text, "{language}");
    }
}

#[test]
fn pauses_are_kept_where_a_sign_became_a_word() {
    assert_eq!(spoken("CPU 97%, RAM 15", "en"), "CPU ninety seven percent, RAM fifteen");
    assert_eq!(spoken("call 555-0123.", "en"), "call five five five, zero one, two three.");
}

#[test]
fn a_huge_or_hostile_text_grows_no_further_than_its_first_part_can() {
    let units = [
        "1", "1.", "1:", "-1", "a_", "1h ", "::", "x@y.z", "/a", "<", "1.1.1.1 ", "я", "(1", "s's",
    ];
    for unit in units {
        for language in ["en", "de"] {
            let text = unit.repeat(65_536 / unit.len());
            let said = spoken(&text, language);
            assert!(said.chars().count() <= 40 * CHARS_MAX, "{unit}");
        }
    }
}
