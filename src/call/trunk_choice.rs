//! Which trunk carries a number, and which after it.

use std::sync::Arc;

use crate::phone_number::PhoneNumber;
use crate::sip::trunk::Trunk;

/// The trunks that carry `number`, in the operator's order: the first is used, the next is for its faults.
pub fn carriers<'t>(
    trunks: &'t [Arc<Trunk>],
    number: &PhoneNumber,
) -> impl Iterator<Item = &'t Arc<Trunk>> {
    trunks.iter().filter(move |trunk| trunk.prefixes.iter().any(|prefix| number.has_prefix(prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::trunk::Dtmf;

    #[test]
    fn a_number_goes_to_the_trunks_with_its_prefix_in_order() {
        let trunk = |name: &str, prefixes: &[&str]| {
            Arc::new(Trunk {
                name: name.into(),
                proxy: "sip:192.0.2.1".parse().unwrap(),
                from: "sip:offhook@192.0.2.1".into(),
                credentials: None,
                register: false,
                calls_max: 1,
                calls_per_s_max: 1,
                prefixes: prefixes.iter().map(ToString::to_string).collect(),
                dtmf: Dtmf::Auto,
            })
        };
        let trunks =
            [trunk("japan", &["+81"]), trunk("europe", &["+33", "+49"]), trunk("world", &["+"])];
        let cases = [
            ("+81312345678", "japan world"),
            ("+4930123456", "europe world"),
            ("+12025550100", "world"),
        ];
        for (number, expected) in cases {
            let number = number.parse().unwrap();
            let names: Vec<_> =
                carriers(&trunks, &number).map(|trunk| trunk.name.as_str()).collect();
            assert_eq!(names.join(" "), expected);
        }
        assert_eq!(carriers(&trunks[..1], &"+4930123456".parse().unwrap()).count(), 0);
    }
}
