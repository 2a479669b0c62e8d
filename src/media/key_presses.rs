//! Presses of keys, joined from all the methods that tell them.

use std::time::{Duration, Instant};

/// Joins what several methods tell of the same presses: telephone events, tones, INFO.
///
/// What another method tells of the same key shortly after a press belongs to that press; the same method again means
/// another press.
///
/// Contract: each method tells a press once, by [`KeyPresses::is_new`].
#[derive(Clone, Debug)]
pub struct KeyPresses<M> {
    /// The oldest first. All memory is taken at the beginning.
    recent: Box<[Option<Press<M>>; RECENT_MAX]>,
}

#[derive(Clone, Copy, Debug)]
struct Press<M> {
    key: char,
    methods: [Option<M>; METHODS_MAX],
    /// When the key was last known to be down.
    seen: Instant,
    /// When that was last told.
    told: Instant,
}

impl<M: Copy + PartialEq> KeyPresses<M> {
    /// Takes a press that one method tells. Tells whether no other method has told it before.
    pub fn is_new(&mut self, key: char, method: M, now: Instant) -> bool {
        for place in self.recent.iter_mut() {
            place.take_if(|press| now.saturating_duration_since(press.seen) >= JOINED_MAX);
        }
        let told = |press: &&mut Press<M>| press.key == key && !press.is_told_by(method);
        if let Some(press) = self.recent.iter_mut().flatten().find(told) {
            if let Some(free) = press.methods.iter_mut().find(|it| it.is_none()) {
                *free = Some(method);
            }
            return false;
        }
        let mut methods = [None; METHODS_MAX];
        methods[0] = Some(method);
        self.recent.rotate_left(1);
        self.recent[RECENT_MAX - 1] = Some(Press { key, methods, seen: now, told: now });
        true
    }

    /// The key that this method told last is still down. Tells whether that was not told for a while.
    pub fn is_held(&mut self, key: char, method: M, now: Instant) -> bool {
        let told = |press: &&mut Press<M>| press.key == key && press.is_told_by(method);
        let Some(press) = self.recent.iter_mut().rev().flatten().find(told) else { return false };
        press.seen = now;
        let due = now.saturating_duration_since(press.told) >= HELD_EVERY;
        if due {
            press.told = now;
        }
        due
    }
}

impl<M: Copy + PartialEq> Press<M> {
    fn is_told_by(&self, method: M) -> bool {
        self.methods.contains(&Some(method))
    }
}

impl<M: Copy> Default for KeyPresses<M> {
    fn default() -> Self {
        Self { recent: Box::new([None; RECENT_MAX]) }
    }
}

/// INFO waits for its turn in the signalling, and tones are recognised late.
const JOINED_MAX: Duration = Duration::from_millis(300);
/// More presses in that time are no person's.
const RECENT_MAX: usize = 8;
const METHODS_MAX: usize = 3;
/// How often it is told that a key is still down.
const HELD_EVERY: Duration = Duration::from_millis(150);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn methods_share_a_press_and_a_method_never_tells_one_twice() {
        // `a5@0` is the key 5 by method `a` after 0 ms; `~` in place of `@`: the key is still down.
        let cases = [
            ("two methods", "a5@0 b5@290", "5"),
            ("two methods, too far apart", "a5@0 b5@310", "55"),
            ("one method twice", "a5@0 a5@90", "55"),
            ("three methods", "a5@0 b5@40 c5@200", "5"),
            ("two methods twice", "a5@0 b5@40 a5@250 b5@290", "55"),
            ("two methods twice, one of them late", "a5@0 a5@250 b5@280 b5@530", "55"),
            ("another key between", "a5@0 a1@100 b5@200 b1@300", "51"),
            ("a long press, told at its end by the other", "a5@0 a5~200 a5~400 b5@450", "5"),
        ];
        for (what, told, expected) in cases {
            let (mut presses, start, mut keys) =
                (KeyPresses::default(), clock::now(), String::new());
            for word in told.split(' ') {
                let (method, rest) = word.split_at(1);
                let (key, ms) = rest.split_once(['@', '~']).unwrap();
                let now = start + Duration::from_millis(ms.parse().unwrap());
                match key.chars().next().unwrap() {
                    key if word.contains('~') => {
                        presses.is_held(key, method, now);
                    }
                    key => keys.extend(presses.is_new(key, method, now).then_some(key)),
                }
            }
            assert_eq!(keys, expected, "{what}");
        }
    }
}
