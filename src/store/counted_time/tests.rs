use super::*;

const DAY: i64 = 86_400_000;
const MINUTE: i64 = 60_000;

/// A moment of the machine's start `boot`, so many milliseconds after it, at this wall time.
fn moment(boot: u128, up: u64, wall: i64, stepped: i64) -> Moment {
    let machine = Some(MachineTime { boot, up: Duration::from_millis(up) });
    let stepped = SignedDuration::from_millis(stepped);
    let wall = Timestamp::from_millisecond(wall).unwrap();
    Moment { machine, stepped, ..wall.into() }
}

fn counted(time: &mut CountedTime, now: Moment) -> i64 {
    time.look(now).counted(now.wall)
}

/// What a run leaves behind when it was last heard of at this moment.
fn left_at(time: &mut CountedTime, now: Moment) -> Remembered {
    time.look(now);
    time.to_remember(now)
}

#[test]
fn no_step_of_the_wall_clock_moves_counted_time() {
    let begun = 20 * DAY;
    let mut time = CountedTime::resume(Remembered::default(), moment(1, 0, begun, 0));
    let mut before = counted(&mut time, moment(1, 0, begun, 0));
    assert_eq!(before, begun, "a new file begins with the wall clock");
    for (passed, stepped) in
        [(10, 0), (20, DAY), (30, -DAY), (70_030, 4 * DAY), (70_040, 10 * MINUTE), (70_050, 0)]
    {
        let now = moment(1, passed as u64, begun + passed + stepped, stepped);
        let at = counted(&mut time, now);
        assert_eq!(at, begun + passed, "stepped by {stepped}");
        assert!(at >= before);
        before = at;
    }
}

#[test]
fn the_next_run_goes_on_counting_where_the_last_one_stopped() {
    let begun = 20 * DAY;
    // The second run begins at this moment, the first one was last heard of 1 s after its begin, and this was counted
    // meanwhile; where the clock has to prove itself, this much is added when it has.
    let cases = [
        ("at once", moment(1, 61_000, begun + 61_000, 0), 60_000, None),
        ("at once, the clock a day ahead", moment(1, 61_000, begun + DAY, 0), 60_000, None),
        ("at once, the clock four days back", moment(1, 61_000, begun - 4 * DAY, 0), 60_000, None),
        ("after a suspension", moment(1, 3_600_000, begun + 3_600_000, 0), 3_599_000, None),
        ("the machine restarted", moment(2, 50, begun + 61_000, 0), 60_000, Some(0)),
        ("the machine was off for a day", moment(2, 50, begun + 1000 + DAY, 0), 0, Some(DAY)),
        ("and started with a clock of 1970", moment(2, 50, 1000, 0), 0, Some(0)),
    ];
    for (what, now, passed, gap) in cases {
        let start = moment(1, 0, begun, 0);
        let mut time = CountedTime::resume(Remembered::default(), start);
        let before = left_at(&mut time, moment(1, 1000, begun + 1000, 0));
        let mut time = CountedTime::resume(before, now);
        let resumed = counted(&mut time, now);
        assert_eq!(resumed - (begun + 1000), passed, "{what}");
        assert_eq!(time.unproved, gap, "{what}");
        time.prove();
        assert_eq!(counted(&mut time, now) - resumed, gap.unwrap_or_default(), "{what}");
    }
}

#[test]
fn a_clock_that_was_wrong_after_the_start_of_the_machine_ages_nothing() {
    let begun = 20 * DAY;
    let mut time = CountedTime::resume(Remembered::default(), moment(1, 0, begun, 0));
    let before = left_at(&mut time, moment(1, 1000, begun + 1000, 0));
    // Four days ahead for 70 s, then as it should be.
    let mut time = CountedTime::resume(before, moment(2, 0, begun + 60_000 + 4 * DAY, 0));
    let right = moment(2, 70_000, begun + 130_000, -4 * DAY);
    assert_eq!(time.step(right), -4 * DAY);
    assert_eq!(counted(&mut time, right), begun + 1000 + 70_000);
    assert!(time.prove());
    assert_eq!(counted(&mut time, right), begun + 130_000, "a minute was the machine off");
}

#[test]
fn a_clock_that_starts_at_its_last_time_ages_what_it_was_off_for_once_it_is_set() {
    let begun = 20 * DAY;
    let mut time = CountedTime::resume(Remembered::default(), moment(1, 0, begun, 0));
    let before = left_at(&mut time, moment(1, 1000, begun + 1000, 0));
    let mut time = CountedTime::resume(before, moment(2, 0, begun + 2000, 0));
    let set = moment(2, 30_000, begun + 32_000 + DAY, DAY);
    assert_eq!(time.step(set), DAY);
    assert_eq!(counted(&mut time, set), begun + 32_000, "not before it has proved itself");
    // A service that is restarted in between remembers.
    let before = left_at(&mut time, set);
    let again = moment(2, 40_000, begun + 42_000 + DAY, 0);
    let mut time = CountedTime::resume(before, again);
    assert_eq!(counted(&mut time, again), begun + 42_000);
    assert!(time.prove());
    assert_eq!(counted(&mut time, again), begun + 42_000 + DAY);
    assert!(!time.prove(), "once");
}

#[test]
fn where_the_machine_counts_nothing_the_wall_clock_is_believed_but_never_back() {
    let at = |wall: i64| Moment::from(Timestamp::from_millisecond(wall).unwrap());
    let mut time = CountedTime::resume(Remembered::default(), at(DAY));
    counted(&mut time, at(3 * DAY));
    let before = Remembered { seen: Some(time.seen), ..Remembered::default() };
    let mut later = CountedTime::resume(before, at(5 * DAY));
    assert_eq!(counted(&mut later, at(5 * DAY)), 5 * DAY);
    let mut earlier = CountedTime::resume(before, at(2 * DAY));
    assert_eq!(counted(&mut earlier, at(2 * DAY)), 3 * DAY, "counts from when it is seen again");
}

#[test]
fn times_are_the_same_after_the_way_in_and_out() {
    let ahead = Ahead(-12_345);
    let wall = Timestamp::from_millisecond(20 * DAY).unwrap();
    let counted = Timestamp::from_millisecond(ahead.counted(wall)).unwrap();
    assert_eq!(ahead.wall(counted), wall);
    assert_eq!(Ahead(1).wall(Timestamp::MAX), Timestamp::MAX);
}
