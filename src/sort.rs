//! Sorting, compiled once for all types.
//!
//! The standard library's sorts are compiled anew for each type and order, 10 to 20 kB each: an eighth of the module. Here
//! only what moves the items is.

use std::cmp::Ordering;

/// Sorts; equal items keep their order. Takes memory for two numbers an item.
///
/// ```
/// let mut words = ["three", "one", "two"];
/// potoroo::sort::sort_by(&mut words, |left, right| left.len().cmp(&right.len()));
/// assert_eq!(words, ["one", "two", "three"]);
/// ```
pub fn sort_by<T>(items: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    let mut compare_at = |left: usize, right: usize| match (items.get(left), items.get(right)) {
        (Some(left), Some(right)) => compare(left, right),
        _ => Ordering::Equal,
    };
    let Some(mut places) = places(items.len(), &mut compare_at) else { return };
    for index in 0..items.len() {
        while let Some(place) = places.get(index).copied().filter(|place| *place != index) {
            items.swap(index, place);
            places.swap(index, place);
        }
    }
}

/// Sorts by a key that is computed again for each comparison; equal items keep their order.
pub fn sort_by_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    sort_by(items, |left, right| key(left).cmp(&key(right)));
}

/// Where each of so many items belongs; `None` where they are in order.
fn places(count: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Option<Vec<usize>> {
    if (1..count).all(|index| compare(index - 1, index).is_le()) {
        return None;
    }
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_unstable_by(|left, right| compare(*left, *right).then(left.cmp(right)));
    let mut places = vec![0; count];
    for (place, index) in order.into_iter().enumerate() {
        if let Some(item) = places.get_mut(index) {
            *item = place;
        }
    }
    Some(places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_standard_librarys_stable_sort(items: Vec<(u8, u16)>) {
            let mut sorted = items.clone();
            sort_by_key(&mut sorted, |item| item.0);
            let mut expected = items;
            expected.sort_by_key(|item| item.0);
            prop_assert_eq!(sorted, expected);
        }
    }
}
