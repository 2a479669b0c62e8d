//! The tags of what is spoken: which speech a clip belongs to, and how many prompts of it follow.

/// The tag of the last clip of the next speech.
pub(super) fn next(speech: u32) -> u32 {
    speech.wrapping_add(PROMPTS_MAX)
}

/// The tag of a clip after which so many prompts of its speech are left.
pub(super) fn clip(speech: u32, left: usize) -> u32 {
    let left = u32::try_from(left).unwrap_or(u32::MAX);
    speech.wrapping_add(left.min(PROMPTS_MAX - 1))
}

/// How many prompts are left after the clip with this tag; `None` if it is of another speech.
pub(super) fn left(speech: u32, tag: u32) -> Option<usize> {
    let left = tag.wrapping_sub(speech);
    (left < PROMPTS_MAX).then_some(left as usize)
}

/// More than a speech has.
const PROMPTS_MAX: u32 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_tells_what_is_left_of_its_own_speech_only() {
        let first = next(0);
        for now in [first, next(first), u32::MAX - 3] {
            for prompts in [0, 1, 63] {
                assert_eq!(left(now, clip(now, prompts)), Some(prompts));
                assert_eq!(left(next(now), clip(now, prompts)), None);
                assert_eq!(left(now, clip(next(now), prompts)), None);
            }
        }
        assert_eq!(left(first, clip(first, 1000)), Some(63), "no other speech is meant");
    }
}
