//! How much of each limit of a day is used.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::look;
use crate::notification::policy::Policy;
use crate::store::StoreError;

/// A limit of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Its key in `component.toml`.
    pub name: String,
    /// Calls or minutes of the last 24 hours.
    pub used: u32,
    /// The limit.
    pub most: u32,
}

/// Each limit that there is, the whole component's first.
///
/// Contract: counts as the rules do: a call that runs, or whose end is unclear, counts in full.
pub fn budgets(path: &Path, policy: &Policy, now: Timestamp) -> Result<Vec<Budget>, StoreError> {
    look(path, policy, |transaction| {
        let calls = |digits: &str| Ok::<_, StoreError>(transaction.calls_in(digits, now)?.len());
        let minutes = |digits: &str| {
            let talked: Duration = transaction.spent(digits, now)?.iter().map(|it| it.talked).sum();
            Ok::<_, StoreError>(talked.as_secs().div_ceil(60))
        };
        let budget = |name: &str, used: u64, most| Budget {
            name: name.to_owned(),
            used: used.try_into().unwrap_or(u32::MAX),
            most,
        };
        let mut budgets = vec![
            budget("dial.calls_per_day_max", calls("")? as u64, policy.calls_per_day_max),
            budget("dial.minutes_per_day_max", minutes("")?, policy.minutes_per_day_max),
        ];
        for country in &policy.countries {
            let digits = country.prefix.trim_start_matches('+');
            if let Some(most) = country.calls_per_day_max {
                let name = format!("calls to {}", country.prefix);
                budgets.push(budget(&name, calls(digits)? as u64, most));
            }
            if let Some(most) = country.minutes_per_day_max {
                let name = format!("minutes to {}", country.prefix);
                budgets.push(budget(&name, minutes(digits)?, most));
            }
        }
        Ok(budgets)
    })
}
