//! Time zones as people name them: by the name of the tz database, by a city, by an abbreviation, or by an offset.

use jiff::tz::{self, TimeZone};

/// Reads a zone; `None` for what is none.
///
/// Source: the tz database; its names `Etc/GMT-2` have the sign that people do not expect.
pub(super) fn time_zone(written: &str) -> Option<TimeZone> {
    let name = written.trim().replace(' ', "_");
    // The name is looked up as it is written, so that "../" cannot lead anywhere.
    let plain = |it: char| it.is_alphanumeric() || "_+-/:".contains(it);
    if name.is_empty() || !name.chars().all(plain) || name.starts_with('/') {
        return None;
    }
    let lower = name.to_lowercase();
    let alias = ALIASES.iter().find(|(names, _)| names.split(' ').any(|it| it == lower));
    if let Some((_, zone)) = alias {
        return TimeZone::get(zone).ok();
    }
    if let Some(zone) = by_offset(&lower) {
        return Some(zone);
    }
    if name.is_ascii()
        && let Ok(zone) = TimeZone::get(&name)
    {
        return Some(zone);
    }
    by_city(&lower)
}

/// Whether this is a city that has a zone, or another name of one.
pub fn is_zone_name(written: &str) -> bool {
    let lower = written.trim().replace(' ', "_").to_lowercase();
    let is_alias = ALIASES.iter().any(|(names, _)| names.split(' ').any(|it| it == lower));
    is_alias || lower.starts_with("utc") && by_offset(&lower).is_some() || by_city(&lower).is_some()
}

/// The zone whose name is most like what was written, if one is.
pub fn nearest_zone(written: &str) -> Option<String> {
    let lower = written.trim().replace(' ', "_").to_lowercase();
    let city = lower.rsplit('/').next().unwrap_or_default();
    let likeness = |name: &str| strsim::jaro_winkler(city, &city_of(name));
    let names = tz::db().available().map(|name| name.as_str().to_owned());
    let best = names
        .filter(|name| is_of_a_region(name))
        .max_by(|one, other| likeness(one).total_cmp(&likeness(other)))?;
    (city.len() > 3 && likeness(&best) > LIKE).then_some(best)
}

/// The zone as people name it: `UTC+2` for what the tz database calls `Etc/GMT-2`.
pub fn zone_name(zone: &TimeZone) -> String {
    let name = zone.iana_name().unwrap_or("UTC");
    match name.strip_prefix("Etc/GMT") {
        Some(offset) if offset.starts_with('-') => format!("UTC+{}", &offset[1..]),
        Some(offset) if offset.starts_with('+') => format!("UTC-{}", &offset[1..]),
        _ => name.to_owned(),
    }
}

/// Reads `utc+2`, `gmt-5` or `+01:00`.
fn by_offset(lower: &str) -> Option<TimeZone> {
    let rest = ["utc", "gmt", "etc/gmt"].iter().find_map(|it| lower.strip_prefix(it));
    if lower.starts_with("etc/") {
        return None;
    }
    let offset = rest.unwrap_or(lower);
    if rest.is_some() && offset.is_empty() {
        return Some(TimeZone::UTC);
    }
    let (sign, hours) = match (offset.strip_prefix('+'), offset.strip_prefix('-')) {
        (Some(hours), _) => ('-', hours),
        (_, Some(hours)) => ('+', hours),
        _ => return None,
    };
    let (hours, minutes) = hours.split_once(':').unwrap_or((hours, "00"));
    if (hours, minutes) == ("5", "30") || (hours, minutes) == ("05", "30") {
        return TimeZone::get("Asia/Kolkata").ok();
    }
    let hours: u8 = hours.parse().ok().filter(|_| minutes == "00")?;
    if hours == 0 {
        return Some(TimeZone::UTC);
    }
    TimeZone::get(&format!("Etc/GMT{sign}{hours}")).ok()
}

fn by_city(lower: &str) -> Option<TimeZone> {
    let names = tz::db().available().map(|name| name.as_str().to_owned());
    let found: Vec<String> =
        names.filter(|name| is_of_a_region(name) && city_of(name) == lower).collect();
    TimeZone::get(found.first()?).ok()
}

fn city_of(name: &str) -> String {
    name.rsplit('/').next().unwrap_or_default().to_lowercase()
}

fn is_of_a_region(name: &str) -> bool {
    REGIONS.iter().any(|region| name.starts_with(region))
}

/// How like a name must be to be offered.
const LIKE: f64 = 0.9;
const REGIONS: [&str; 9] = [
    "Europe/",
    "America/",
    "Asia/",
    "Africa/",
    "Australia/",
    "Pacific/",
    "Atlantic/",
    "Indian/",
    "Arctic/",
];
/// Names apart by blanks, in lower case. Abbreviations stand for the zone of most people who use them.
const ALIASES: [(&str, &str); 31] = [
    (
        "cet cest met mest mez mesz germany deutschland münchen munich hamburg frankfurt köln",
        "Europe/Berlin",
    ),
    ("wien austria österreich", "Europe/Vienna"),
    ("zürich schweiz switzerland bern genf geneva", "Europe/Zurich"),
    ("bst england uk gb britain", "Europe/London"),
    ("rom italy italien mailand milan", "Europe/Rome"),
    ("warschau poland polen", "Europe/Warsaw"),
    ("prag czechia tschechien", "Europe/Prague"),
    ("moskau msk", "Europe/Moscow"),
    ("kopenhagen denmark dänemark", "Europe/Copenhagen"),
    ("brüssel belgium belgien", "Europe/Brussels"),
    ("lissabon portugal", "Europe/Lisbon"),
    ("athen greece griechenland", "Europe/Athens"),
    ("bukarest", "Europe/Bucharest"),
    ("belgrad", "Europe/Belgrade"),
    ("kiew kyiv", "Europe/Kyiv"),
    ("france frankreich", "Europe/Paris"),
    ("spain spanien barcelona", "Europe/Madrid"),
    ("netherlands niederlande", "Europe/Amsterdam"),
    ("sweden schweden", "Europe/Stockholm"),
    ("tokio jst japan osaka", "Asia/Tokyo"),
    ("ist india indien mumbai delhi bangalore", "Asia/Kolkata"),
    ("peking beijing china", "Asia/Shanghai"),
    ("singapur", "Asia/Singapore"),
    ("est edt et eastern nyc boston washington miami", "America/New_York"),
    ("cst cdt ct central", "America/Chicago"),
    ("mst mdt mt mountain", "America/Denver"),
    ("pst pdt pt pacific la san_francisco seattle", "America/Los_Angeles"),
    ("kairo", "Africa/Cairo"),
    ("kapstadt cape_town", "Africa/Johannesburg"),
    ("aest aedt canberra", "Australia/Sydney"),
    ("z utc gmt zulu", "UTC"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_read_as_people_name_it() {
        for (written, name) in [
            ("Asia/Tokyo", Some("Asia/Tokyo")),
            ("europe/berlin", Some("Europe/Berlin")),
            ("Berlin", Some("Europe/Berlin")),
            ("new york", Some("America/New_York")),
            ("MESZ", Some("Europe/Berlin")),
            ("Wien", Some("Europe/Vienna")),
            ("UTC+2", Some("Etc/GMT-2")),
            ("GMT-5", Some("Etc/GMT+5")),
            ("+05:30", Some("Asia/Kolkata")),
            ("utc", Some("UTC")),
            ("Mars/Olympus", None),
            ("../../etc/passwd", None),
            ("Asia/Tokyo\n/x.", None),
            ("/etc/localtime", None),
            ("utc+99", None),
        ] {
            let zone = time_zone(written);
            assert_eq!(zone.as_ref().and_then(TimeZone::iana_name), name, "{written}");
        }
        assert_eq!(zone_name(&time_zone("UTC+2").unwrap()), "UTC+2");
        assert_eq!(nearest_zone("Belrin").as_deref(), Some("Europe/Berlin"));
        assert_eq!(nearest_zone("nowhere at all"), None);
    }
}
