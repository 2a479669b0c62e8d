//! What chance, or a fuzzer that follows coverage, has to say.

use std::cell::Cell;

use offhook::seed::Seed;

thread_local! {
    static CHANGED: Cell<u64> = const { Cell::new(0) };
}

/// Tapes of chance, long enough for a whole call; bolero's own are short. `OFFHOOK_SEED` gives others, and
/// `OFFHOOK_TAPES=100` a hundred times as many.
pub(crate) fn long(count: u64) -> impl Iterator<Item = Vec<u8>> {
    let given = |name, usual: u64| std::env::var(name).map_or(usual, |it| it.parse().unwrap());
    let mut seed = Seed::fixed(given("OFFHOOK_SEED", 1));
    let byte = |seed: &mut Seed| seed.below(256) as u8;
    (0..count * given("OFFHOOK_TAPES", 1)).map(move |_| {
        let length = seed.below(1500);
        (0..length).map(|_| byte(&mut seed)).collect()
    })
}

/// How many inputs this thread's tapes have made.
pub(crate) fn changed() -> u64 {
    CHANGED.get()
}

/// Choices, taken from the front until nothing is left; then every choice is the first one.
pub(crate) struct Tape<'t>(&'t [u8]);

impl<'t> Tape<'t> {
    pub(crate) fn new(bytes: &'t [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or(0)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        let number = usize::from(u16::from_be_bytes([self.byte(), self.byte()]));
        number % end.max(1)
    }

    /// At most so many bytes as they are.
    pub(crate) fn piece(&mut self, length: usize) -> &'t [u8] {
        let (piece, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        piece
    }

    pub(crate) fn one_of<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        &choices[self.below(choices.len())]
    }

    /// The original as it is every other time; else with pieces of it changed, taken away, repeated and put in.
    pub(crate) fn change(&mut self, original: &[u8], words: &[&str]) -> Vec<u8> {
        CHANGED.set(CHANGED.get() + 1);
        let mut bytes = original.to_vec();
        for _ in 0..self.byte().saturating_sub(127) % 6 {
            let at = self.below(bytes.len() + 1);
            let end = (at + 1 + usize::from(self.byte()) % 40).min(bytes.len());
            match self.byte() % 9 {
                0 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (end % 8)),
                1 => {
                    let byte = self.byte();
                    bytes.iter_mut().skip(at).take(1).for_each(|it| *it = byte);
                }
                2 => drop(bytes.drain(at..end)),
                3 => {
                    let piece = bytes[at..end].repeat(1 + usize::from(self.byte()) % 30);
                    bytes.splice(at..at, piece);
                }
                4 if at > 20 => bytes.truncate(at),
                5 => {
                    let length = usize::from(self.byte()) % 24;
                    let piece = self.piece(length);
                    bytes.splice(at..at, piece.iter().copied());
                }
                6 => bytes.iter_mut().skip(at).take(end - at).for_each(|byte| *byte = b'9'),
                _ if words.is_empty() => {}
                _ => {
                    // Behind a line more often than not, where a header or an attribute may stand.
                    let line = bytes.iter().skip(at).position(|byte| *byte == b'\n');
                    let at =
                        line.filter(|_| end.is_multiple_of(2)).map_or(at, |line| at + line + 1);
                    bytes.splice(at..at, self.one_of(words).bytes());
                }
            }
        }
        bytes.truncate(70_000);
        bytes
    }
}
