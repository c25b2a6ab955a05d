//! How long to wait after an error.

use crate::env::Millis;

/// Ten minutes.
const LONGEST: f64 = 600_000.0;
/// The first pause is shorter than this.
const FIRST: f64 = 2_000.0;

/// PouchDB's default: at random up to two seconds at first, then between the last pause and its double, and at the most
/// ten minutes. `random` is in [0, 1).
pub fn default_back_off(previous: f64, random: f64) -> f64 {
    let (mut least, mut most) =
        if previous < 1.0 { (0.0, FIRST + 1.0) } else { (previous.trunc(), previous.trunc() * 2.0) };
    if most > LONGEST {
        (least, most) = (LONGEST / 2.0, LONGEST);
    }
    ((most - least) * random + least).trunc()
}

/// The pause that a back-off function's answer and the server's `Retry-After` make together.
pub fn pause(answer: f64, retry_after_seconds: Option<u32>) -> Millis {
    // What is no number waits no time, as JavaScript's setTimeout has it.
    let answer = if answer.is_finite() && answer > 0.0 { answer as u64 } else { 0 };
    Millis(answer.max(u64::from(retry_after_seconds.unwrap_or(0)) * 1000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pauses_grow_to_ten_minutes_and_no_further(random in proptest::collection::vec(0.0..1.0f64, 40)) {
            let mut previous = 0.0;
            for random in random {
                let next = default_back_off(previous, random);
                let expected = match previous {
                    0.0 => 0.0..=2_000.0,
                    previous if previous * 2.0 > 600_000.0 => 300_000.0..=600_000.0,
                    previous => previous..=previous * 2.0,
                };
                prop_assert!(expected.contains(&next), "{next} after {previous}");
                previous = next;
            }
        }
    }

    #[test]
    fn the_server_may_ask_for_more_and_nonsense_is_no_pause() {
        assert_eq!(pause(10.0, Some(3)), Millis(3_000));
        assert_eq!(pause(5_000.0, Some(3)), Millis(5_000));
        for nonsense in [f64::NAN, f64::INFINITY, -1.0] {
            assert_eq!(pause(nonsense, None), Millis(0));
        }
    }
}
